"""Interactions in their newest version: what could be asked about, answered or not."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import Interaction
from kpi_aggregator.service.versions import newest

_SAVE = """
INSERT INTO interaction AS held
  (interaction, version, day, occurred_at, org_unit, touchpoint, participants, employees, attributes)
SELECT interaction, version, day, occurred_at, org_unit, touchpoint, participants,
       ARRAY(SELECT DISTINCT one->>'employee' FROM jsonb_array_elements(participants) AS one
             WHERE (one->>'verified')::boolean), attributes
FROM unnest($1::text[], $2::bigint[], $3::date[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[])
  AS new (interaction, version, day, occurred_at, org_unit, touchpoint, participants, attributes)
ON CONFLICT (interaction) DO UPDATE
SET version = excluded.version, day = excluded.day, occurred_at = excluded.occurred_at, org_unit = excluded.org_unit,
    touchpoint = excluded.touchpoint, participants = excluded.participants, employees = excluded.employees,
    attributes = excluded.attributes
WHERE held.version < excluded.version
"""


async def save_interactions(session: AsyncSession, events: Sequence[Interaction], *, zone: ZoneInfo) -> None:
    """Keep the newest version of each; the customer is not kept here."""
    batch = newest(events)
    await sql(
        session,
        _SAVE,
        [event.interaction for event in batch],
        [event.version for event in batch],
        [event.occurred_at.astimezone(zone).date() for event in batch],
        [event.occurred_at for event in batch],
        [event.org_unit for event in batch],
        [event.touchpoint for event in batch],
        [_json(event.participants) for event in batch],
        [_json(event.attributes) for event in batch],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
