"""Attributing again what a changed rule may concern: a piece at a time, each in a transaction of its own.

The first piece is done with the change itself, so a small installation sees the new results at once; the worker does
the rest. Responses that arrive meanwhile are attributed by the new rule anyway.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import locks
from attribution.service.attribute import CHUNK, Moment, attribute
from attribution.tables import InteractionRow, ReattributionRow, ResponseRow
from fairloop.db import is_transient
from fairloop.service import Runtime
from fairloop.waiting import wait_for_event

log = structlog.get_logger()

_START = UUID(int=0)
_IDLE_SECONDS = 1.0


async def begin(
    session: AsyncSession,
    *,
    at: Moment,
    taxonomy: str | None = None,
    employees: Sequence[str] | None = None,
    since: datetime | None = None,
) -> None:
    """Note what a change may concern and do the first piece. The caller holds `locks.changing_rules`."""
    work = ReattributionRow(
        taxonomy=taxonomy, employees=sorted(employees) if employees else None, since=since, cursor=_START
    )
    session.add(work)
    await session.flush()
    await _advance(session, work, at=at)


async def step(session: AsyncSession, *, at: Moment) -> bool:
    """Do one more piece of the oldest work nobody else is doing; False when there is none."""
    await locks.attributing(session)
    work = await session.scalar(
        select(ReattributionRow).order_by(ReattributionRow.id).limit(1).with_for_update(skip_locked=True)
    )
    if work is None:
        return False
    await _advance(session, work, at=at)
    return True


async def _advance(session: AsyncSession, work: ReattributionRow, *, at: Moment) -> None:
    ids = list(await session.scalars(_next_ids(work)))
    await attribute(session, ids, at=at)
    if len(ids) == CHUNK:
        work.cursor = ids[-1]
    else:
        await session.delete(work)
    log.info("reattributed", responses=len(ids), finished=len(ids) < CHUNK)


def _next_ids(work: ReattributionRow) -> Select[UUID]:
    statement = (
        select(ResponseRow.response_id)
        .join(InteractionRow, InteractionRow.id == ResponseRow.looks_for)
        .where(ResponseRow.response_id > work.cursor, ResponseRow.status == "matched")
        .order_by(ResponseRow.response_id)
        .limit(CHUNK)
        .with_for_update(of=ResponseRow)
    )
    if work.taxonomy is not None:
        statement = statement.where(
            or_(ResponseRow.taxonomy == work.taxonomy, ResponseRow.taxonomy.is_(None))
        )
    if work.employees is not None:
        statement = statement.where(InteractionRow.employees.overlap(work.employees))
    if work.since is not None:
        statement = statement.where(InteractionRow.occurred_at >= work.since)
    return statement


async def keep_reattributing(runtime: Runtime) -> None:
    """The worker's loop; it outlives a database that is away."""
    while not runtime.stopping.is_set():
        busy = False
        try:
            async with runtime.db.begin() as session:
                busy = await step(session, at=Moment(runtime.clock(), runtime.settings.zone))
        except Exception as error:
            if not is_transient(error):
                raise
        if not busy:
            await wait_for_event(runtime.stopping, _IDLE_SECONDS)
