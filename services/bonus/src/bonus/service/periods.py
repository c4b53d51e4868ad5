"""Periods: which days of which plan are paid together."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lifecycle import CLOSED
from bonus.domain.notice import TooEarlyError, counting_for
from bonus.domain.tenure import Days
from bonus.service.notice import published_versions
from bonus.service.runs import supersede
from bonus.tables import Period, PlanVersion
from fairloop.errors import Conflict, Invalid, NotFound


async def put_period(session: AsyncSession, id: str, *, days: Days, plan: str) -> Period:
    """Create or change a period. A change takes a run in review back; a closed period does not change any more.

    Raises Invalid, Conflict.
    """
    if not 0 < days.count <= 1100:
        raise Invalid("A period has at least one day and at most three years.", pointer="/body/to")
    if await session.scalar(select(PlanVersion.id).where(PlanVersion.id == plan).limit(1)) is None:
        raise Invalid(f"There is no plan {plan}.", pointer="/body/plan")
    try:
        counting_for(await published_versions(session, plan), days.start)
    except TooEarlyError as error:
        raise Invalid(f"Too early: {error}.", pointer="/body/from") from error
    await session.execute(
        insert(Period)
        .values(id=id, plan=plan, date_from=days.start, date_to=days.end, status="open")
        .on_conflict_do_nothing()
    )
    period = await locked(session, id)
    if (period.plan, period.date_from, period.date_to) == (plan, days.start, days.end):
        return period
    if period.status in CLOSED:
        raise Conflict(f"The period is {period.status} and cannot be changed.")
    await supersede(session, id)
    period.plan, period.date_from, period.date_to, period.status = plan, days.start, days.end, "open"
    return period


async def locked(session: AsyncSession, id: str) -> Period:
    """The period, kept from changing until the transaction ends. Raises NotFound."""
    period = await session.scalar(select(Period).where(Period.id == id).with_for_update())
    if period is None:
        raise NotFound(f"There is no period {id}.")
    return period


async def get_period(session: AsyncSession, id: str) -> Period:
    """Raises NotFound."""
    period = await session.get(Period, id)
    if period is None:
        raise NotFound(f"There is no period {id}.")
    return period


async def current_periods(session: AsyncSession, today: date) -> list[Period]:
    """The periods that today lies in."""
    rows = await session.scalars(
        select(Period).where(Period.date_from <= today, Period.date_to > today).order_by(Period.id)
    )
    return list(rows)


def days_of(period: Period) -> Days:
    return Days(period.date_from, period.date_to)
