"""Durable timers: what is due is fired once, whoever else acts on the case and however often the worker dies.

Which cases have something due is read without locks; then, for each, the case is locked and after it its timers, the
same order as everywhere, they are looked at again, and all that follows is written in one transaction.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.deadlines import tick
from closed_loop.domain.lifecycle import SYSTEM
from closed_loop.metrics import FIRED_LATE
from closed_loop.service.cases import act_of, case_of, save
from closed_loop.service.reminders import next_reminder, remind_due
from closed_loop.tables import CaseRow, SlaTimerRow
from fairloop.clock import Clock
from fairloop.db import Database, is_transient
from fairloop.service import Runtime

log = structlog.get_logger()

_POLL = timedelta(milliseconds=500)
_LEAST = timedelta(milliseconds=20)
_AT_ONCE = 200


async def timers(runtime: Runtime) -> None:
    """The worker's loop: fire what is due, sleep until the next, at most half a second."""
    while not runtime.stopping.is_set():
        try:
            await fire_due(runtime.db, runtime.clock)
            await remind_due(runtime.db, runtime.clock)
            pause = await _until_next(runtime.db, runtime.clock)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("timers_wait_for_database", error=type(error).__name__)
            pause = _POLL
        try:
            await asyncio.wait_for(runtime.stopping.wait(), pause.total_seconds())
        except TimeoutError:
            continue


async def fire_due(db: Database, clock: Clock) -> int:
    """Fire the timers that are due and say how many; those whose case somebody has in hand wait for the next round."""
    async with db.begin() as session:
        due = await _due_cases(session, clock())
    fired = 0
    for case_id in due:
        async with db.begin() as session:
            fired += await fire(session, case_id, clock)
    return fired


async def fire(session: AsyncSession, case_id: UUID, clock: Clock) -> int:
    """Fire what is due of one case, in the session's transaction; 0 when nothing is any more or the case is in hand."""
    row = await session.scalar(select(CaseRow).where(CaseRow.id == case_id).with_for_update(skip_locked=True))
    if row is None:
        return 0
    now = clock()
    statement = (
        select(SlaTimerRow)
        .where(SlaTimerRow.case_id == case_id, SlaTimerRow.state == "armed", SlaTimerRow.due_at <= now)
        .order_by(SlaTimerRow.kind)
        .with_for_update()
    )
    due = (await session.scalars(statement)).all()
    if not due:
        return 0
    for timer in due:
        timer.state, timer.fired_at = "fired", now
        FIRED_LATE.observe((now - timer.due_at).total_seconds())
    await session.flush()
    case = case_of(row)
    change = tick(case, await act_of(session, case, by=SYSTEM, now=now))
    if change.case != case:
        await save(session, [change])
    log.info("timers_fired", case=str(case_id), timers=[timer.kind for timer in due])
    return len(due)


async def _due_cases(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """The cases with a timer that is due, the longest overdue first."""
    statement = (
        select(SlaTimerRow.case_id)
        .where(SlaTimerRow.state == "armed", SlaTimerRow.due_at <= now)
        .group_by(SlaTimerRow.case_id)
        .order_by(func.min(SlaTimerRow.due_at))
        .limit(_AT_ONCE)
    )
    return (await session.scalars(statement)).all()


async def _until_next(db: Database, clock: Clock) -> timedelta:
    async with db.begin() as session:
        statement = (
            select(SlaTimerRow.due_at)
            .where(SlaTimerRow.state == "armed")
            .order_by(SlaTimerRow.due_at)
            .limit(1)
        )
        following = [await session.scalar(statement), await next_reminder(session)]
    waits = [due_at - clock() for due_at in following if due_at is not None]
    return min(max(min(waits, default=_POLL), _LEAST), _POLL)
