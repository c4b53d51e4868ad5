"""After a restore: runs as the log tells them. A closed period stays closed; no amount is made up."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.explanation import RULE_VERSION
from bonus.domain.lifecycle import CLOSED, PeriodStatus
from bonus.domain.missing import MissingFigureError
from bonus.domain.run import Run, calculate
from bonus.domain.standing import Standing
from bonus.service.acceptances import accepted_by
from bonus.service.directory import assignments_of
from bonus.service.periods import days_of, locked
from bonus.service.plans import plan_version
from bonus.service.runs import announce, current_run, published_run
from bonus.service.snapshots import fetch
from bonus.service.statements import save_statements
from bonus.tables import BonusRunRow, Period, StatementRow
from fairloop.errors import Conflict, NotFound, Unavailable
from fairloop.events import BonusRun
from fairloop.published import Published
from fairloop.service import Recovery, Runtime, Taken

FROM_LOG = "known from the log only"
"""Who did what, where the log does not say."""

_SETUP = (
    "Plans, acceptances, periods without a run, simulations, inquiries and answers about goals since the backup are "
    "not on the log: they are lost. "
    "Who approved or marked as paid what the log tells of is not on it either."
)


async def take(runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
    """Statuses as they were published, so that what was paid can neither be calculated nor paid again."""
    lost: list[str] = []
    changed: set[UUID] = set()
    for one in events:
        if not isinstance(one.event, BonusRun):
            continue
        run = await session.get(BonusRunRow, one.event.run_id)
        if run is not None and run.version > one.event.version:
            continue
        if run is not None and published_run(run) == one.event:
            continue
        lost += await _overlay(session, run, one.event, one.at)
        changed.add(one.event.run_id)
    return Taken(len(changed), [_SETUP, *lost] if changed else lost)


async def _overlay(
    session: AsyncSession, run: BonusRunRow | None, event: BonusRun, at: datetime
) -> list[str]:
    await _keep_period(session, event)
    period = await locked(session, event.period)
    told = [] if event.status == "superseded" else await _make_way(session, event)
    if run is None:
        run = _known_by(event, at)
        session.add(run)
    elif run.status in CLOSED and event.status == "superseded":
        told.append(_twice(run, event.period))
    run.version, run.status = event.version, event.status
    if event.status in CLOSED and run.approved_at is None:
        run.approved_by, run.approved_at = FROM_LOG, at
    if event.status == "paid" and run.paid_at is None:
        run.paid_by, run.paid_at = FROM_LOG, at
    await session.flush()
    left = await current_run(session, event.period)
    period.status = _period_status(left)
    return told


def _period_status(run: BonusRunRow | None) -> PeriodStatus:
    return "open" if run is None or run.status == "superseded" else run.status


async def _make_way(session: AsyncSession, event: BonusRun) -> list[str]:
    """A run calculated since the restore gives way to the one that was published before."""
    other = await current_run(session, event.period)
    if other is None or other.id == event.run_id:
        return []
    told = [_twice(other, event.period)] if other.status in CLOSED else []
    other.status = "superseded"
    await announce(session, other)
    return told


def _twice(run: BonusRunRow, period: str) -> str:
    return (
        f"Period {period}: run {run.id} was {run.status} since the restore although the log has another outcome of "
        "this period. Make sure that nobody is paid twice."
    )


async def _keep_period(session: AsyncSession, event: BonusRun) -> None:
    await session.execute(
        insert(Period)
        .values(
            id=event.period,
            plan=event.plan,
            date_from=event.period_from,
            date_to=event.period_to,
            status="open",
        )
        .on_conflict_do_nothing()
    )


def _known_by(event: BonusRun, at: datetime) -> BonusRunRow:
    """Without statements; `finish` makes them again where their inputs can be proven."""
    return BonusRunRow(
        id=event.run_id,
        period=event.period,
        date_from=event.period_from,
        date_to=event.period_to,
        plan=event.plan,
        plan_version=event.plan_version or 0,
        inputs_hash=event.inputs_hash,
        rule_version=FROM_LOG,
        snapshots=event.snapshots,
        standing={},
        payees=event.payees,
        total_minor=event.total_minor,
        unspent_minor=0,
        currency=event.currency,
        calculated_by=FROM_LOG,
        calculated_at=at,
    )


async def finish(runtime: Runtime) -> Sequence[str]:
    """Statements whose inputs hash to what was published are the same, byte for byte; others are not made up."""
    async with runtime.db.begin() as session:
        having = select(StatementRow.run_id).distinct()
        query = select(BonusRunRow.id).where(BonusRunRow.status != "superseded", BonusRunRow.payees > 0)
        ids = list(await session.scalars(query.where(BonusRunRow.id.not_in(having)).order_by(BonusRunRow.id)))
    return [line for id in ids if (line := await _make_again(runtime, id))]


async def _make_again(runtime: Runtime, id: UUID) -> str | None:
    """Why its statements stay lost; None when they are there again."""
    try:
        run, standing = await _calculated(runtime, id)
        why = None
    except (Conflict, MissingFigureError, NotFound, Unavailable) as error:
        run, standing, why = None, None, str(error)
    async with runtime.db.begin() as session:
        row = (await session.scalars(select(BonusRunRow).where(BonusRunRow.id == id).with_for_update())).one()
        if run is not None and standing is not None and run.terms.inputs_hash == row.inputs_hash:
            row.rule_version, row.unspent_minor = RULE_VERSION, run.unspent_minor
            row.standing = msgspec.to_builtins(standing)
            if not await session.scalar(select(func.count()).where(StatementRow.run_id == id)):
                row.terms = msgspec.json.encode(run.terms)
                await save_statements(session, id, run)
            return None
        return await _give_up(
            session, row, why or "plan, acceptances, people or facts are not what they were"
        )


async def _calculated(runtime: Runtime, id: UUID) -> tuple[Run, Standing]:
    async with runtime.db.begin() as session:
        row = await session.get_one(BonusRunRow, id)
        held = await plan_version(session, row.plan, row.plan_version)
        days = days_of(await locked(session, row.period))
        people = {payee.employee for payee in held.plan.payees}
        assignments = await assignments_of(session, people, levels=held.plan.by_level)
        standing = Standing.of(days, assignments, await accepted_by(session, held.id, held.text_hash))
    snapshots = await fetch(
        runtime.peers, {kpi: one["id"] for kpi, one in row.snapshots.items()}, held.plan.components
    )
    return await asyncio.to_thread(calculate, held.plan, standing, snapshots), standing


async def _give_up(session: AsyncSession, run: BonusRunRow, why: str) -> str:
    """A closed run stays closed, without statements; one in review is taken back."""
    if run.status in CLOSED:
        return (
            f"Run {run.id} of period {run.period} ({run.status}, {run.payees} payees, {run.total_minor} "
            f"{run.currency} minor units): its statements are lost ({why}). The period stays {run.status}; payroll "
            "files made before the restore are the only record of who gets what. Put back what is missing and "
            "repair again, and statements with the same inputs are made again."
        )
    run.status = "superseded"
    await announce(session, run)
    (await locked(session, run.period)).status = "open"
    return f"Run {run.id} of period {run.period} was in review: its statements are lost ({why}). Calculate again."


recovery = Recovery(take=take, finish=finish)
