"""Where somebody stands in the organisation today: the own units, and the units led."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.tables import AssignmentFact, EmployeeFact


@dataclass(frozen=True, slots=True)
class Position:
    """`units`: where they have a post today; `leads`: these and all below when somebody reports to them.

    `whole`: they lead a unit that has none above it.
    """

    employee: str
    units: frozenset[str]
    leads: frozenset[str]
    whole: bool


async def position_of(session: AsyncSession, employee: str, *, today: date) -> Position | None:
    """None for somebody who is not there, or no longer."""
    person = await session.get(EmployeeFact, employee)
    if person is None or not person.active:
        return None
    units = await units_of(session, employee, today=today)
    reports = select(EmployeeFact.id).where(EmployeeFact.manager == employee, EmployeeFact.active).limit(1)
    parents = await load_parents(session)
    leading = (await session.scalar(reports)) is not None
    leads = frozenset(subtree(parents, units)) if leading else frozenset()
    return Position(employee, units, leads, any(parents.get(unit, unit) is None for unit in leads))


async def units_of(session: AsyncSession, employee: str, *, today: date) -> frozenset[str]:
    """Where somebody has a post today."""
    posts = select(AssignmentFact.org_unit).where(AssignmentFact.employee == employee, _held_on(today))
    return frozenset(await session.scalars(posts))


async def people_in(
    session: AsyncSession, units: frozenset[str] | None, *, start: date, end: date
) -> Mapping[str, tuple[str, ...]]:
    """Active employees with a post in [start, end) in these units (None: anywhere) → these posts' units."""
    posts = (
        select(AssignmentFact.employee, AssignmentFact.org_unit)
        .join(EmployeeFact, EmployeeFact.id == AssignmentFact.employee)
        .where(
            EmployeeFact.active,
            AssignmentFact.valid_from < end,
            or_(AssignmentFact.valid_to.is_(None), AssignmentFact.valid_to > start),
        )
    )
    if units is not None:
        posts = posts.where(AssignmentFact.org_unit.in_(units))
    found: dict[str, set[str]] = {}
    for employee, unit in await session.execute(posts):
        found.setdefault(employee, set()).add(unit)
    return {employee: tuple(sorted(found[employee])) for employee in sorted(found)}


def _held_on(day: date) -> ColumnElement[bool]:
    return (AssignmentFact.valid_from <= day) & (
        AssignmentFact.valid_to.is_(None) | (AssignmentFact.valid_to > day)
    )
