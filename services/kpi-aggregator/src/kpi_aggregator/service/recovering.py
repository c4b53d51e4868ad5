"""After a restore: shifts as they were announced, and frozen sets: the announced hash proves one frozen anew."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import KpiShift, KpiSnapshot
from fairloop.published import Published
from fairloop.service import Recovery, Runtime, Taken, nothing_to_finish
from kpi_aggregator.service.shifts import take_shifts
from kpi_aggregator.service.snapshots import freeze_again
from kpi_aggregator.tables import Snapshot


async def take(runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
    """Each frozen set in a transaction of its own, because freezing wants one consistent view."""
    announced = {
        one.event.snapshot_id: (one.event, one.at) for one in events if isinstance(one.event, KpiSnapshot)
    }
    held = set(await session.scalars(select(Snapshot.id).where(Snapshot.id.in_(announced))))
    changed = await take_shifts(
        session, [(one.event, one.at) for one in events if isinstance(one.event, KpiShift)]
    )
    lost = list[str]()
    for id, (event, at) in announced.items():
        if id in held:
            continue
        async with runtime.db.begin() as own:
            if await freeze_again(own, event, at):
                changed += 1
                continue
        lost.append(
            f"Snapshot {id} ({event.kpi}, {event.period_from} to {event.period_to}): its figures are not on the log, "
            "and today's facts or settings give others. Runs calculated from it stay as they are; adjustments to "
            "them cannot be computed. If settings or the directory are not yet as they were, put them again and "
            "repair again."
        )
    return Taken(changed, lost)


recovery = Recovery(take=take, finish=nothing_to_finish)
