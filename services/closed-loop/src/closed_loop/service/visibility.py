"""Whose cases somebody may see: all, those of the own units and what is below them, or the own."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, true
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Case
from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.tables import CaseRow
from fairloop.auth import Caller, Role

_SEE_ALL = (Role.ADMIN, Role.OPS, Role.ANALYST, Role.WORKS_COUNCIL)


@dataclass(frozen=True, slots=True)
class Sight:
    """`employee` sees the cases they own, watch over or had escalated to them, and those of which they are informed as
    a watcher, without being able to act; `texts`: what people wrote, too."""

    everything: bool
    employee: str | None
    units: frozenset[str]
    texts: bool

    def sees(self, case: Case) -> bool:
        """True when this case may be shown."""
        return self.concerns(case) or (self.employee is not None and self.employee in case.watchers)

    def reads(self, case: Case) -> bool:
        """True when what people wrote about this case may be shown."""
        return self.texts and self.concerns(case)

    def concerns(self, case: Case) -> bool:
        """True when it is theirs to follow, and to act on; a watcher is only informed."""
        mine = {case.owner, case.oversight_owner, case.escalated_to}
        return (
            self.everything
            or (self.employee is not None and self.employee in mine)
            or case.org_unit in self.units
        )

    def condition(self) -> ColumnElement[bool]:
        """The same for a query."""
        if self.everything:
            return true()
        mine = (
            or_(
                CaseRow.owner == self.employee,
                CaseRow.oversight_owner == self.employee,
                CaseRow.escalated_to == self.employee,
                CaseRow.state["watchers"].contains([self.employee]),
            )
            if self.employee is not None
            else false()
        )
        return or_(mine, CaseRow.org_unit.in_(self.units))


async def load_sight(session: AsyncSession, caller: Caller) -> Sight:
    """What this caller sees."""
    units: set[str] = set()
    if caller.has(Role.MANAGER) and caller.org_units:
        units = subtree(await load_parents(session), caller.org_units)
    return Sight(
        everything=caller.has(*_SEE_ALL),
        employee=caller.employee_id if caller.has(Role.MANAGER, Role.EMPLOYEE) else None,
        units=frozenset(units),
        texts=caller.has(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.EMPLOYEE),
    )
