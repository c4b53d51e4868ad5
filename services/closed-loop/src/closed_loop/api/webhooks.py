"""Webhooks to other systems: who gets which events, and what was sent."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from fastapi import Request
from pydantic import Field, SecretStr, field_validator
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.addresses import may_be_called, networks
from closed_loop.sealing import SecretBox
from closed_loop.service.webhooks import Subject, delete_delivery, find_delivery, replay
from closed_loop.tables_told import WebhookDeliveryRow, WebhookSubscriptionRow
from fairloop.auth import Role, roles
from fairloop.errors import Invalid, NotFound
from fairloop.standard_webhooks import OURS, secret_key
from fairloop.web import Answer, Body, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="webhooks")
INTEGRATORS = roles(Role.ADMIN, Role.OPS)


class SubscriptionIn(Body):
    """`secret`, `whsec_` and base64 of 24 to 64 bytes, is needed once; left out later, the one there stays."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    events: Annotated[list[Subject], Field(min_length=1, max_length=10)]
    secret: SecretStr | None = None
    active: bool = True

    @field_validator("events")
    @classmethod
    def _each_once(cls, events: list[Subject]) -> list[Subject]:
        return sorted(set(events))

    @field_validator("secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            secret_key(secret.get_secret_value(), sizes=OURS)
        return secret

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("must be an https address")
        if parts.username or parts.password or parts.fragment:
            raise ValueError("must have no user, password or fragment")
        _ = parts.port  # ValueError when it is none
        return url


class SubscriptionOut(Answer):
    id: str
    url: str
    events: list[str]
    active: bool
    disabled_reason: str | None
    created_at: datetime
    updated_at: datetime


class DeliveryOut(Answer):
    """`message_id` is the webhook-id; `answer` the last status, or the kind of error."""

    id: UUID
    subscription: str
    message_id: str
    event: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    answer: str | None
    created_at: datetime
    next_try_at: datetime | None
    settled_at: datetime | None


class DeliveryDetail(DeliveryOut):
    """With what was, or will be, sent."""

    body: dict[str, Any]


@routes.put("/v1/webhook-subscriptions/{id}", allow=INTEGRATORS)
async def put_subscription(
    id: Slug, body: SubscriptionIn, session: Session, request: Request, now: Now
) -> SubscriptionOut:
    """Events from now on. What waits for this subscriber goes to the new address."""
    settings = request.app.state.runtime.settings
    _check_reachable(body.url, settings.webhook_allowed_networks)
    row = await session.get(WebhookSubscriptionRow, id, with_for_update=True)
    if row is None and body.secret is None:
        raise Invalid("A new subscription needs a secret.", pointer="/body/secret")
    if row is None:
        row = WebhookSubscriptionRow(id=id, created_at=now)
        session.add(row)
    if body.secret is not None:
        box = SecretBox(settings.pseudonym_key)
        row.secret = box.seal(secret_key(body.secret.get_secret_value(), sizes=OURS), id)
    row.url, row.events, row.active = body.url, list(body.events), body.active
    row.disabled_reason = None if body.active else "switched off"
    row.updated_at = now
    await session.flush()
    return SubscriptionOut.model_validate(row)


@routes.get("/v1/webhook-subscriptions/{id}", allow=INTEGRATORS)
async def get_subscription(id: Slug, session: Session) -> SubscriptionOut:
    return SubscriptionOut.model_validate(await _subscription(session, id))


@routes.get("/v1/webhook-subscriptions", allow=INTEGRATORS)
async def list_subscriptions(session: Session, page: Paging) -> Listing[SubscriptionOut]:
    rows = select(WebhookSubscriptionRow)
    return await listing(
        session, rows, by=[WebhookSubscriptionRow.id], page=page, to=SubscriptionOut.model_validate
    )


@routes.delete("/v1/webhook-subscriptions/{id}", allow=INTEGRATORS)
async def delete_subscription(id: Slug, session: Session) -> SubscriptionOut:
    """With everything that was sent or waits for it."""
    gone = SubscriptionOut.model_validate(await _subscription(session, id))
    await session.execute(delete(WebhookSubscriptionRow).where(WebhookSubscriptionRow.id == id))
    return gone


@routes.get("/v1/webhook-deliveries", allow=INTEGRATORS)
async def list_deliveries(
    session: Session,
    page: Paging,
    subscription: str | None = None,
    state: Literal["pending", "delivered", "failed"] | None = None,
) -> Listing[DeliveryOut]:
    """The newest first."""
    rows = select(WebhookDeliveryRow)
    if subscription is not None:
        rows = rows.where(WebhookDeliveryRow.subscription == subscription)
    if state is not None:
        rows = rows.where(WebhookDeliveryRow.state == state)
    return await listing(session, rows, by=[WebhookDeliveryRow.id], page=page, to=_out, descending=True)


@routes.get("/v1/webhook-deliveries/{id}", allow=INTEGRATORS)
async def get_delivery(id: UUID, session: Session) -> DeliveryDetail:
    row = await find_delivery(session, id)
    return DeliveryDetail(**_out(row).model_dump(), body=msgspec.json.decode(row.body))


@routes.delete("/v1/webhook-deliveries/{id}", allow=INTEGRATORS)
async def forget_delivery(id: UUID, session: Session) -> DeliveryOut:
    """One that waits is not sent any more."""
    gone = _out(await find_delivery(session, id))
    await delete_delivery(session, id)
    return gone


@routes.post("/v1/webhook-deliveries/{id}/replay", allow=INTEGRATORS)
async def replay_delivery(id: UUID, session: Session, now: Now) -> DeliveryOut:
    """Send it once more, under the same webhook-id."""
    return _out(await replay(session, id, now=now))


def _out(row: WebhookDeliveryRow) -> DeliveryOut:
    shown = DeliveryOut.model_validate(row)
    return shown if row.state == "pending" else shown.model_copy(update={"next_try_at": None})


async def _subscription(session: AsyncSession, id: str) -> WebhookSubscriptionRow:
    row = await session.get(WebhookSubscriptionRow, id)
    if row is None:
        raise NotFound(f"There is no webhook subscription {id}.")
    return row


def _check_reachable(url: str, allowed_networks: Sequence[str]) -> None:
    """What can be told without asking the name servers; the address itself is looked at before every attempt."""
    parts = urlsplit(url)
    allowed = networks(allowed_networks)
    if parts.scheme == "http" and not allowed:
        raise Invalid("Webhooks go to https addresses only.", pointer="/body/url")
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return
    if not may_be_called(host, allowed):
        raise Invalid(f"Webhooks do not go to {host}: it is not a public address.", pointer="/body/url")
