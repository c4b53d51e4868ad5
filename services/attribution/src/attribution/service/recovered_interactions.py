"""Interactions as the log tells them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service.interactions import as_posted, told
from attribution.tables import InteractionRow
from fairloop.events import Interaction
from fairloop.outbox import publish


async def take(session: AsyncSession, events: Sequence[Interaction]) -> int:
    """A newer version replaces what is held; one changed since the restore stays and is published again, above it.

    Attributions are not made anew here: the log tells those that were published.
    """
    query = select(InteractionRow).where(InteractionRow.id.in_({event.interaction for event in events}))
    rows = await session.scalars(query.order_by(InteractionRow.id).with_for_update())
    held = {row.id: row for row in rows}
    changed: set[str] = set()
    unlike: dict[str, InteractionRow] = {}
    for event in events:
        row = held.get(event.interaction)
        if row is None:
            row = held[event.interaction] = InteractionRow(id=event.interaction, version=0)
            session.add(row)
        if row.version < event.version:
            _become(row, event)
            changed.add(row.id)
        elif row.version == event.version and told(as_posted(row), row.version) != event:
            row.version += 1
            unlike[row.id] = row
    await session.flush()
    await publish(session, [told(as_posted(row), row.version) for row in unlike.values()])
    return len(changed | unlike.keys())


def _become(row: InteractionRow, event: Interaction) -> None:
    row.version = event.version
    row.occurred_at, row.customer = event.occurred_at, event.customer
    row.org_unit, row.touchpoint = event.org_unit, event.touchpoint
    row.participants = [
        {"employee": one.employee, "role": one.role, "verified": one.verified} for one in event.participants
    ]
    row.employees = sorted({one.employee for one in event.participants})
    row.attributes = dict(event.attributes)
