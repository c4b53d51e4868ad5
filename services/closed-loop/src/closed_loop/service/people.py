"""Whose coaching somebody may see: everybody's, that of the people of the own subtree, or the own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.tables import AssignmentFact, EmployeeFact
from fairloop.auth import Caller, Role
from fairloop.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class PeopleSight:
    """`people`: oneself and, for a manager, who works in the subtree today."""

    everybody: bool
    people: frozenset[str]

    def sees(self, employee: str) -> bool:
        return self.everybody or employee in self.people

    def condition(self, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """The same for a query."""
        return true() if self.everybody else column.in_(sorted(self.people))


async def people_sight(session: AsyncSession, caller: Caller, today: date) -> PeopleSight:
    """What this caller sees."""
    themselves = {caller.employee_id} if caller.employee_id else set()
    if caller.has(Role.ADMIN):
        return PeopleSight(everybody=True, people=frozenset(themselves))
    team: Collection[str] = ()
    if caller.has(Role.MANAGER) and caller.org_units:
        units = subtree(await load_parents(session), caller.org_units)
        team = (await session.scalars(working_in(units, today))).all()
    return PeopleSight(everybody=False, people=frozenset(themselves | set(team)))


def working_in(units: Collection[str], day: date) -> Select[str]:
    """Who has an assignment in one of these units on that day."""
    return (
        select(AssignmentFact.employee)
        .where(AssignmentFact.org_unit.in_(units), AssignmentFact.valid_from <= day)
        .where(or_(AssignmentFact.valid_to.is_(None), AssignmentFact.valid_to > day))
        .distinct()
    )


async def roles_on(session: AsyncSession, employee: str, day: date) -> set[str | None]:
    """The roles somebody has on that day; None where the directory was learnt before roles were kept."""
    statement = (
        select(AssignmentFact.role)
        .where(AssignmentFact.employee == employee, AssignmentFact.valid_from <= day)
        .where(or_(AssignmentFact.valid_to.is_(None), AssignmentFact.valid_to > day))
    )
    return set(await session.scalars(statement))


async def check_person(session: AsyncSession, employee: str, sight: PeopleSight) -> None:
    """Raises NotFound for a person the caller may not see, Invalid for one who is unknown or has left."""
    if not sight.sees(employee):
        raise NotFound(f"There is no employee {employee} that you may see.")
    person = await session.get(EmployeeFact, employee)
    if person is None or not person.active:
        raise Invalid(f"{employee} is not an active employee of the directory.", pointer="/body/employee")
