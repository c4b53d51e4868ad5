"""The use case at the heart of the service: deliveries become revisions, and their responses are published."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import SurveyResponse
from fairloop.ids import uuid7
from fairloop.outbox import publish
from survey_intake.domain.revisions import Verdict, advance, judge
from survey_intake.sealing import DataKey, Vault
from survey_intake.service.deliveries import Delivery, Outcome, Receipt, Unclear, Understood
from survey_intake.service.loading import Held, Known, load
from survey_intake.service.publishing import newest_of
from survey_intake.service.saving import NewRevision, QuarantinedBody, save

_OUTCOMES: dict[Verdict, Outcome] = {
    Verdict.NEWER: "accepted",
    Verdict.OLDER: "accepted",
    Verdict.DUPLICATE: "duplicate",
    Verdict.IGNORED: "ignored",
}


@dataclass
class Plan:
    """What one batch comes to."""

    receipts: list[Receipt | None] = field(default_factory=list)
    responses: dict[UUID, Held] = field(default_factory=dict)
    revisions: list[NewRevision] = field(default_factory=list)
    quarantined: list[QuarantinedBody] = field(default_factory=list)
    events: list[SurveyResponse] = field(default_factory=list)
    traceparents: list[str | None] = field(default_factory=list)  # of the events


async def receive(
    session: AsyncSession, deliveries: Sequence[Delivery], vault: Vault
) -> list[Receipt | None]:
    """One receipt a delivery, in order, true once the session commits.

    None: the connection was changed after the delivery was checked with it; check again. Raises Raced when
    another process stored one of the responses first; the transaction must be tried again from the start.
    """
    known = await load(session, deliveries, vault)
    plan = decide(known, deliveries, vault)
    await save(session, plan.responses.values(), plan.revisions, plan.quarantined)
    await publish(session, plan.events, traceparents=plan.traceparents)
    return plan.receipts


def decide(known: Known, deliveries: Sequence[Delivery], vault: Vault) -> Plan:
    """Applies the deliveries in order, so that duplicates inside a batch are seen as well."""
    plan = Plan()
    for delivery in deliveries:
        if known.connections.get(delivery.connection) != delivery.connection_revision:
            plan.receipts.append(None)
        elif isinstance(delivery, Unclear):
            plan.quarantined.append(QuarantinedBody.of(delivery, vault))
            plan.receipts.append(Receipt("quarantined"))
        else:
            plan.receipts.append(_apply(delivery, known, plan, vault))
    return plan


def _apply(delivery: Understood, known: Known, plan: Plan, vault: Vault) -> Receipt:
    held = known.held.get(delivery.identity)
    before = held.standing if held else None
    updated_at = delivery.facts.updated_at
    if delivery.customer is not None and known.customers[delivery.customer] is None:
        return Receipt("ignored", held.id if held else None, before.revisions if before else None)
    verdict = judge(before, delivery.content_hash, updated_at)
    after = advance(before, verdict, delivery.content_hash, updated_at)
    if held is None:
        held = Held(
            id=uuid7(), identity=delivery.identity, standing=None, day=delivery.facts.day, is_new=True
        )
        known.held[delivery.identity] = held
    if after != before:
        held.standing, held.changed = after, True
        plan.responses[held.id] = held
    if verdict is Verdict.NEWER:
        held.customer = delivery.customer
    if verdict in (Verdict.NEWER, Verdict.OLDER):
        facts = msgspec.structs.replace(delivery.facts, day=held.day)
        key = _key_for(delivery, held, known, vault)
        plan.revisions.append(
            NewRevision.of(delivery, facts, response_id=held.id, number=after.revisions, key=key)
        )
    if verdict is Verdict.NEWER:
        plan.events.append(
            newest_of(delivery, facts, response_id=held.id, version=after.version, vault=vault)
        )
        plan.traceparents.append(delivery.traceparent)
    return Receipt(_OUTCOMES[verdict], held.id, after.revisions)


def _key_for(delivery: Understood, held: Held, known: Known, vault: Vault) -> DataKey:
    """The customer's key, or the response's own where no customer is named."""
    if delivery.customer is not None:
        key = known.customers[delivery.customer]
        assert key is not None
        return key
    if held.wrapped_key is not None:
        return vault.unwrap(held.wrapped_key)
    key, held.wrapped_key = vault.new_key()
    return key
