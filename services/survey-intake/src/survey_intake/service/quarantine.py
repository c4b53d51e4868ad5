"""Authentic deliveries nobody understood: kept until somebody repairs the mapping or gives up on them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from fairloop.errors import Conflict, NotFound
from survey_intake.domain.mentions import mentions
from survey_intake.domain.reading import read_delivery
from survey_intake.keyring import Keyring
from survey_intake.sealing import Vault
from survey_intake.service.connections import load_config
from survey_intake.service.deliveries import Receipt, Unclear, prepare
from survey_intake.service.receiving import receive
from survey_intake.tables import Quarantined

_PAGE = 200


async def _open_item(session: AsyncSession, item_id: UUID) -> Quarantined:
    """Locked, with its body. Raises NotFound, or Conflict when it was settled before."""
    query = select(Quarantined).where(Quarantined.id == item_id).options(undefer("*")).with_for_update()
    item = (await session.scalars(query)).one_or_none()
    if item is None:
        raise NotFound(f"There is no quarantined delivery {item_id}.")
    if item.status != "open":
        raise Conflict(f"This delivery is no longer in quarantine: it was {item.status}.")
    return item


def _settle(item: Quarantined, status: str, *, now: datetime, by: str | None) -> None:
    """The body goes with its key: it is stored with the response, or wanted no more."""
    item.status = status
    item.body = None
    item.wrapped_key = None
    item.body_hash = b""
    item.settled_at = now
    item.settled_by = by


def _body_of(item: Quarantined, vault: Vault) -> bytes:
    assert item.wrapped_key is not None
    assert item.body is not None
    return vault.unwrap(item.wrapped_key).open(item.body)


async def retry(
    session: AsyncSession,
    item_id: UUID,
    *,
    now: datetime,
    by: str,
    day_zone: ZoneInfo,
    keyring: Keyring,
) -> Receipt:
    """Read the body again with the connection as it is now; it stays in quarantine when that fails again."""
    item = await _open_item(session, item_id)
    config = await load_config(session, item.connection, keyring.vault)
    if config is None:
        raise Conflict(f"There is no connection {item.connection} any more.")
    body = _body_of(item, keyring.vault)
    reading = read_delivery(body, platform=config.platform, mapping=config.mapping, zone=config.zone)
    delivery = prepare(
        reading, body, config, received_at=item.received_at, day_zone=day_zone, keyring=keyring
    )
    if isinstance(delivery, Unclear):
        item.errors = msgspec.to_builtins(delivery.errors)
        return Receipt("quarantined")
    receipt = Receipt("ignored")
    if delivery is not None:
        stored = (await receive(session, [delivery], keyring.vault))[0]
        if stored is None:
            raise Conflict("The connection was changed meanwhile; try again.")
        receipt = stored
    _settle(item, "released", now=now, by=by)
    item.response_id = receipt.response_id
    return receipt


async def discard(session: AsyncSession, item_id: UUID, *, now: datetime, by: str) -> Quarantined:
    item = await _open_item(session, item_id)
    _settle(item, "discarded", now=now, by=by)
    return item


async def erase_mentions(
    session: AsyncSession, needles: Collection[str], *, now: datetime, vault: Vault
) -> int:
    """Destroy the waiting bodies that are about a customer; how many there were."""
    erased = 0
    page = (
        select(Quarantined)
        .where(Quarantined.status == "open")
        .order_by(Quarantined.id)
        .limit(_PAGE)
        .options(undefer("*"))
        .with_for_update()
    )
    items = (await session.scalars(page)).all()
    while items:
        last = items[-1].id
        for item in items:
            if mentions(_body_of(item, vault), needles):
                _settle(item, "erased", now=now, by=None)
                erased += 1
        await session.flush()
        session.expunge_all()
        items = (await session.scalars(page.where(Quarantined.id > last))).all()
    return erased
