"""Whose responses, people and disputes a caller may see. What they may not see does not exist for them (404)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.org_tree import subtree
from attribution.service.directory import parents_of_units
from attribution.tables import AssignmentRow
from fairloop.auth import Caller, Role
from fairloop.events import AttributionResult


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller sees: everything, or what concerns these people or lies in these units."""

    everything: bool = False
    employees: frozenset[str] = frozenset()
    org_units: frozenset[str] = frozenset()

    def sees_person(self, employee: str) -> bool:
        return self.everything or employee in self.employees

    def sees_result(self, result: AttributionResult) -> bool:
        units = {one.org_unit for one in result.participants}
        if result.interaction is not None:
            units.add(result.interaction.org_unit)
        people = {one.employee for one in result.participants}
        return self.everything or not (self.employees.isdisjoint(people) and self.org_units.isdisjoint(units))


async def sight_of(session: AsyncSession, caller: Caller, *, everything: Iterable[Role]) -> Sight:
    """Roles in `everything` see all; a manager their subtree and its people, past and present; anybody themselves."""
    if caller.has(*everything):
        return Sight(everything=True)
    themselves = frozenset({caller.employee_id} if caller.employee_id else ())
    if not caller.has(Role.MANAGER):
        return Sight(employees=themselves)
    units = subtree(await parents_of_units(session), caller.org_units)
    people = await session.scalars(select(AssignmentRow.employee).where(AssignmentRow.org_unit.in_(units)))
    return Sight(employees=themselves | set(people), org_units=units)
