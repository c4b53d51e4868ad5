"""Interactions as their source posts them; a changed one corrects every response that belongs to it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.interactions import Outcome, PostedInteraction, TookPart, outcomes
from attribution.service import locks
from attribution.service.attribute import Moment, attribute
from attribution.tables import InteractionRow, ResponseRow
from fairloop.db import sql
from fairloop.events import Interaction
from fairloop.events import TookPart as TookPartFact
from fairloop.outbox import publish

_KEEP = """
INSERT INTO interaction (id, version, occurred_at, customer, org_unit, touchpoint, participants, employees, attributes)
SELECT id, 1, occurred_at, customer, org_unit, touchpoint, participants,
       ARRAY(SELECT DISTINCT one->>'employee' FROM jsonb_array_elements(participants) AS one), attributes
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[])
     AS new (id, occurred_at, customer, org_unit, touchpoint, participants, attributes)
ON CONFLICT (id) DO UPDATE SET
    version = interaction.version + 1, occurred_at = excluded.occurred_at, customer = excluded.customer,
    org_unit = excluded.org_unit, touchpoint = excluded.touchpoint, participants = excluded.participants,
    employees = excluded.employees, attributes = excluded.attributes
RETURNING id, version
"""


async def post(session: AsyncSession, posted: Sequence[PostedInteraction], *, at: Moment) -> list[Outcome]:
    """One outcome per item, in order. Responses that were waiting for one, or had it otherwise, are attributed."""
    ids = sorted({item.id for item in posted})
    await locks.attributing(session)
    await locks.posting_interactions(session, ids)
    held = await _held(session, ids)
    results = outcomes(posted, held)
    newest = {item.id: item for item in posted}
    changed = [item for id, item in sorted(newest.items()) if item != held.get(id)]
    await publish(session, await _save(session, changed))
    waiting = await session.scalars(
        select(ResponseRow.response_id)
        .where(ResponseRow.looks_for.in_([item.id for item in changed]))
        .order_by(ResponseRow.response_id)
        .with_for_update()
    )
    await attribute(session, list(waiting), at=at)
    return results


async def _held(session: AsyncSession, ids: Sequence[str]) -> dict[str, PostedInteraction]:
    rows = await session.scalars(select(InteractionRow).where(InteractionRow.id.in_(ids)))
    return {row.id: as_posted(row) for row in rows}


def as_posted(row: InteractionRow) -> PostedInteraction:
    """The interaction a row holds."""
    return PostedInteraction(
        id=row.id,
        occurred_at=row.occurred_at,
        customer=row.customer,
        org_unit=row.org_unit,
        touchpoint=row.touchpoint,
        participants=tuple(TookPart(**one) for one in row.participants),
        attributes=row.attributes,
    )


def told(item: PostedInteraction, version: int) -> Interaction:
    """The event that tells others of it."""
    return Interaction(
        version=version,
        interaction=item.id,
        occurred_at=item.occurred_at,
        customer=item.customer,
        org_unit=item.org_unit,
        touchpoint=item.touchpoint,
        participants=msgspec.convert(item.participants, tuple[TookPartFact, ...], from_attributes=True),
        attributes=dict(item.attributes),
    )


async def _save(session: AsyncSession, items: Sequence[PostedInteraction]) -> list[Interaction]:
    """Locks the rows, and says what they are from here on."""
    if not items:
        return []
    rows = await sql(
        session,
        _KEEP,
        [item.id for item in items],
        [item.occurred_at for item in items],
        [item.customer for item in items],
        [item.org_unit for item in items],
        [item.touchpoint for item in items],
        [_json(item.participants) for item in items],
        [_json(item.attributes) for item in items],
    )
    versions = {row.id: row.version for row in rows}
    return [told(item, versions[item.id]) for item in items]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
