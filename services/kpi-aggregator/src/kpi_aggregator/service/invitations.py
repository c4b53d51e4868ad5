"""Invitations in their newest version."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import Invitation
from kpi_aggregator.service.versions import newest

_SAVE = """
INSERT INTO invitation AS held (invitation, version, interaction, day, sent, bounced, edited)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::date[], $5::boolean[], $6::boolean[], $7::boolean[])
ON CONFLICT (invitation) DO UPDATE
SET version = excluded.version, interaction = excluded.interaction, day = excluded.day, sent = excluded.sent,
    bounced = excluded.bounced, edited = excluded.edited
WHERE held.version < excluded.version
"""


async def save_invitations(session: AsyncSession, events: Sequence[Invitation], *, zone: ZoneInfo) -> None:
    """Keep the newest version of each. One that is taken back counts nowhere, like an answer that is."""
    batch = newest(events)
    rows = [_row(event, zone) for event in batch]
    await sql(session, _SAVE, *map(list, zip(*rows, strict=True)))


def _row(event: Invitation, zone: ZoneInfo) -> tuple[object, ...]:
    if event.erased or event.deleted:
        return event.invitation, event.version, None, None, False, False, False
    kinds = {one.kind for one in event.troubles}
    day = event.eligible_at.astimezone(zone).date()
    sent = event.sent_at is not None
    return (
        event.invitation,
        event.version,
        event.interaction,
        day,
        sent,
        "bounced" in kinds,
        "edited" in kinds,
    )
