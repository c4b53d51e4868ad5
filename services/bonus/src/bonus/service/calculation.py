"""Calculating a period: freeze facts elsewhere, compute in memory, save in one transaction.

The first transaction notes that it began, the last one holds everything it made, so that being killed in between
leaves at worst the state "calculating" and an unused snapshot, and calculating again is all it takes.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.explanation import RULE_VERSION
from bonus.domain.lifecycle import refusal_to_calculate
from bonus.domain.missing import MissingFigureError
from bonus.domain.run import Run, calculate
from bonus.domain.snapshot import Snapshot
from bonus.domain.standing import Standing
from bonus.domain.tenure import Days
from bonus.service.acceptances import accepted_by
from bonus.service.directory import assignments_of
from bonus.service.periods import days_of, locked
from bonus.service.plans import HeldPlan, plan_for_period
from bonus.service.runs import announce_new, current_run, supersede
from bonus.service.snapshots import freeze
from bonus.service.statements import save_statements
from bonus.tables import BonusRunRow, Period
from fairloop.auth import Caller
from fairloop.db import Database
from fairloop.errors import Conflict
from fairloop.ids import uuid7
from fairloop.service import Runtime


@dataclass(frozen=True, slots=True)
class Job:
    """What is about to be calculated."""

    period: str
    days: Days
    plan: HeldPlan
    standing: Standing


async def calculate_period(
    session: AsyncSession, id: str, *, runtime: Runtime, caller: Caller, now: datetime
) -> BonusRunRow:
    """A new run in review; an earlier one of the period is superseded.

    `session` is not used before the facts are there. Raises NotFound, Conflict, Unavailable.
    """
    async with _begun(runtime.db, id) as job:
        snapshots = await freeze(runtime.peers, job.days, job.plan.plan)
        run = await _compute(job, snapshots)
    return await _save(session, job, run, snapshots, caller=caller, now=now)


@asynccontextmanager
async def _begun(db: Database, id: str) -> AsyncIterator[Job]:
    """The period is "calculating" meanwhile; when it fails, it is again what it was."""
    async with db.begin() as session:
        job = await _load(session, id)
    try:
        yield job
    except Exception:
        async with db.begin() as session:
            period = await locked(session, id)
            if period.status == "calculating":
                period.status = "open" if await current_run(session, id) is None else "in_review"
        raise


async def _load(session: AsyncSession, id: str) -> Job:
    period = await locked(session, id)
    _refuse_when_closed(period)
    days = days_of(period)
    plan = await plan_for_period(session, period.plan, days.start)
    people = {payee.employee for payee in plan.plan.payees}
    assignments = await assignments_of(session, people, levels=plan.plan.by_level)
    standing = Standing.of(days, assignments, await accepted_by(session, plan.id, plan.text_hash))
    period.status = "calculating"
    return Job(id, days, plan, standing)


async def _compute(job: Job, snapshots: Mapping[str, Snapshot]) -> Run:
    try:
        return await asyncio.to_thread(calculate, job.plan.plan, job.standing, snapshots)
    except MissingFigureError as error:
        raise Conflict(f"The period cannot be calculated: {error}.") from error


async def _save(
    session: AsyncSession,
    job: Job,
    run: Run,
    snapshots: Mapping[str, Snapshot],
    *,
    caller: Caller,
    now: datetime,
) -> BonusRunRow:
    period = await locked(session, job.period)
    _refuse_when_closed(period)
    if (period.plan, days_of(period)) != (job.plan.id, job.days):
        raise Conflict("The period was changed meanwhile; calculate again.")
    await supersede(session, job.period)
    row = BonusRunRow(
        id=uuid7(),
        version=1,
        period=job.period,
        date_from=job.days.start,
        date_to=job.days.end,
        plan=job.plan.id,
        plan_version=job.plan.version,
        status="in_review",
        inputs_hash=run.terms.inputs_hash,
        rule_version=RULE_VERSION,
        snapshots={kpi: {"id": one.id, "content_hash": one.content_hash} for kpi, one in snapshots.items()},
        standing=msgspec.to_builtins(job.standing),
        payees=len(run.settled),
        total_minor=run.total_minor,
        unspent_minor=run.unspent_minor,
        terms=msgspec.json.encode(run.terms),
        currency=job.plan.plan.currency,
        calculated_by=caller.sub,
        calculated_at=now,
    )
    period.status = "in_review"
    await announce_new(session, row)
    await save_statements(session, row.id, run)
    return row


def _refuse_when_closed(period: Period) -> None:
    if why := refusal_to_calculate(period.status):
        raise Conflict(f"Not calculated: {why}.")
