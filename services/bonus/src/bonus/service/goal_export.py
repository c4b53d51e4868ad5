"""Goals and results of every period, a page of payees at a time, by period and employee."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.goal_export import Frame, Line, open_lines, result_lines
from bonus.domain.lifecycle import CLOSED
from bonus.domain.tenure import tenure
from bonus.service.directory import assignments_of
from bonus.service.goal_results import results_page
from bonus.service.periods import days_of
from bonus.service.plans import HeldPlan, plan_for_period, plan_version
from bonus.service.runs import current_run
from bonus.tables import BonusRunRow, Period
from fairloop.errors import Conflict

PAGE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """After which payee of which period to go on."""

    period: str = ""
    employee: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """The lines of one payee in one period."""

    place: Place
    lines: list[Line]


async def everything(session: AsyncSession, *, period: str | None) -> AsyncIterator[Line]:
    """Every line, of one period or of all."""
    after: Place | None = Place()
    while after is not None:
        page = await exported(session, after=after, limit=PAGE, period=period)
        for one in page:
            for line in one.lines:
                yield line
        after = page[-1].place if len(page) == PAGE else None


async def exported(session: AsyncSession, *, after: Place, limit: int, period: str | None) -> list[Exported]:
    """At most `limit` payees after this place; periods that nothing is published for are left out."""
    statement = select(Period).where(Period.id >= after.period).order_by(Period.id)
    if period is not None:
        statement = statement.where(Period.id == period)
    found: list[Exported] = []
    for row in (await session.scalars(statement)).all():
        employee = after.employee if row.id == after.period else ""
        found += await _of_period(session, row, after=employee, limit=limit - len(found))
        if len(found) == limit:
            break
    return found


async def _of_period(session: AsyncSession, period: Period, *, after: str, limit: int) -> list[Exported]:
    run = await current_run(session, period.id)
    if run is not None and run.status in CLOSED:
        return await _decided(session, period, run, after=after, limit=limit)
    try:
        held = await plan_for_period(session, period.plan, period.date_from)
    except Conflict:
        return []
    return await _open(session, period, held, after=after, limit=limit)


async def _decided(
    session: AsyncSession, period: Period, run: BonusRunRow, *, after: str, limit: int
) -> list[Exported]:
    frame = _frame(period, await plan_version(session, run.plan, run.plan_version), run=str(run.id))
    return [
        Exported(Place(period.id, results[0].employee), result_lines(frame, results))
        for results in await results_page(session, run, after=after, limit=limit)
    ]


async def _open(
    session: AsyncSession, period: Period, held: HeldPlan, *, after: str, limit: int
) -> list[Exported]:
    frame = _frame(period, held, run=None)
    payees = sorted((p for p in held.plan.payees if p.employee > after), key=lambda p: p.employee)[:limit]
    assignments = await assignments_of(session, [payee.employee for payee in payees])
    found = []
    for payee in payees:
        window = days_of(period).within(payee.start, payee.end)
        role = tenure(assignments.get(payee.employee, ()), window).role
        lines = open_lines(frame, held.plan, payee, role=role)
        found.append(Exported(Place(period.id, payee.employee), lines))
    return found


def _frame(period: Period, held: HeldPlan, *, run: str | None) -> Frame:
    return Frame(
        period=period.id,
        start=period.date_from,
        end=period.date_to,
        status=period.status,
        plan=held.id,
        plan_version=held.version,
        mode=held.plan.mode,
        currency=held.plan.currency,
        run=run,
    )
