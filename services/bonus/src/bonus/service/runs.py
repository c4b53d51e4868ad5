"""Runs after their calculation: superseded, approved by somebody else, paid."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lifecycle import refusal_to_approve, refusal_to_pay
from bonus.service.snapshots import announced_hashes
from bonus.tables import BonusRunRow, Period
from fairloop.auth import Caller
from fairloop.errors import Conflict, Forbidden, NotFound
from fairloop.events import BonusRun
from fairloop.outbox import publish
from fairloop.service import Runtime


async def approve(session: AsyncSession, id: UUID, *, caller: Caller, now: datetime) -> BonusRunRow:
    """Seal a run and its period. Raises Forbidden for who calculated it, Conflict, NotFound."""
    run, period = await _locked(session, id)
    frozen = {one["id"]: one["content_hash"] for one in run.snapshots.values()}
    if why := refusal_to_approve(run.status, frozen, await announced_hashes(session, frozen)):
        raise Conflict(f"Not approved: {why}.")
    if caller.sub == run.calculated_by:
        raise Forbidden("Who calculated a run cannot approve it: somebody else has to look at it.")
    run.status, run.approved_by, run.approved_at = "approved", caller.sub, now
    period.status = "approved"
    await announce(session, run)
    return run


async def mark_paid(session: AsyncSession, id: UUID, *, caller: Caller, now: datetime) -> BonusRunRow:
    """The payroll has paid it. Raises Conflict, NotFound."""
    run, period = await _locked(session, id)
    if why := refusal_to_pay(run.status):
        raise Conflict(f"Not marked as paid: {why}.")
    run.status, run.paid_by, run.paid_at = "paid", caller.sub, now
    period.status = "paid"
    await announce(session, run)
    return run


async def supersede(session: AsyncSession, period: str) -> None:
    """Take back the period's run in review, if there is one. The caller holds the period's lock."""
    run = await current_run(session, period)
    if run is not None:
        run.status = "superseded"
        await announce(session, run)


async def announce_new(session: AsyncSession, run: BonusRunRow) -> None:
    """Save a run just calculated, and tell the others."""
    session.add(run)
    await session.flush()
    await publish(session, [published_run(run)])


async def current_run(session: AsyncSession, period: str) -> BonusRunRow | None:
    """The run of the period that was not superseded."""
    return await session.scalar(
        select(BonusRunRow).where(BonusRunRow.period == period, BonusRunRow.status != "superseded")
    )


async def get_run(session: AsyncSession, id: UUID) -> BonusRunRow:
    """Raises NotFound."""
    run = await session.get(BonusRunRow, id)
    if run is None:
        raise NotFound(f"There is no run {id}.")
    return run


async def republish(runtime: Runtime, session: AsyncSession) -> AsyncIterator[BonusRun]:
    """The present state of every run."""
    for run in await session.scalars(select(BonusRunRow).order_by(BonusRunRow.id)):
        yield published_run(run)


async def _locked(session: AsyncSession, id: UUID) -> tuple[BonusRunRow, Period]:
    """The run and its period, the period's lock first: whoever changes a run holds it."""
    period_id = (await get_run(session, id)).period
    period = await session.scalar(select(Period).where(Period.id == period_id).with_for_update())
    run = await session.get(BonusRunRow, id, populate_existing=True)
    assert period is not None
    assert run is not None
    return run, period


async def announce(session: AsyncSession, run: BonusRunRow) -> None:
    """Tell the others of its next state."""
    run.version += 1
    await session.flush()
    await publish(session, [published_run(run)])


def published_run(run: BonusRunRow) -> BonusRun:
    return BonusRun(
        version=run.version,
        run_id=run.id,
        period=run.period,
        period_from=run.date_from,
        period_to=run.date_to,
        plan=run.plan,
        status=run.status,
        inputs_hash=run.inputs_hash,
        payees=run.payees,
        total_minor=run.total_minor,
        currency=run.currency,
        plan_version=run.plan_version,
        snapshots=run.snapshots,
    )
