"""Who asks, and whether they may see what they ask for."""

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.auth import Caller, Role
from fairloop.errors import Forbidden, NotFound
from kpi_aggregator.domain.access import Reader, verdict
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.directory import everybody, units_of, working_in
from kpi_aggregator.service.tree import load_tree


def reader(caller: Caller) -> Reader:
    """What the caller's roles amount to."""
    return Reader(
        everything=caller.has(Role.ADMIN, Role.ANALYST, Role.FINANCE, Role.SERVICE),
        aggregates=caller.has(Role.OPS, Role.WORKS_COUNCIL),
        manages=caller.has(Role.MANAGER),
        employee_id=caller.employee_id if caller.has(Role.EMPLOYEE, Role.MANAGER) else None,
        units=caller.org_units if caller.has(Role.EMPLOYEE, Role.MANAGER) else frozenset(),
    )


async def tree_for(session: AsyncSession, caller: Caller, scope: Scope) -> Tree:
    """The tree where it says anything: whom the caller manages, or which units a unit is beside."""
    if scope.scope_type == "org_unit" or not reader(caller).everything:
        return await load_tree(session)
    return Tree({})


async def check_may_see(session: AsyncSession, caller: Caller, scope: Scope, days: Days, tree: Tree) -> None:
    """Raises Forbidden or NotFound. People are their manager's who work in the subtree on the last of the days."""
    asking = reader(caller)
    person = scope.scope_type == "employee" and asking.manages and not asking.everything
    works_in = await units_of(session, scope.scope_id, days.last) if person else frozenset()
    answer = verdict(asking, scope.scope_type, scope.scope_id, tree=tree, works_in=works_in)
    if answer == "forbidden":
        raise Forbidden(f"Figures of scope {scope.scope_type} are not for this role.")
    if answer == "hidden":
        raise NotFound(f"There is no {scope.scope_type} {scope.scope_id} that you may see.")


async def visible_people(session: AsyncSession, caller: Caller, days: Days, tree: Tree) -> frozenset[str]:
    """The employees whose own figures the caller may see. Raises Forbidden where no person is for the role."""
    asking = reader(caller)
    if asking.everything:
        return await everybody(session)
    themselves = frozenset() if asking.employee_id is None else frozenset({asking.employee_id})
    if asking.manages:
        return themselves | await working_in(session, tree.subtree(asking.units), days.last)
    if not themselves:
        raise Forbidden("Figures of persons are not for this role.")
    return themselves
