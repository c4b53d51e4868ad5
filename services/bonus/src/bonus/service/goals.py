"""Where do I stand: today's figures of the running periods against the plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import OrganisationKpi, Payee, Plan
from bonus.domain.settlement import settle
from bonus.domain.snapshot import ORGANISATION, FigureKey, Figures
from bonus.domain.standing import Standing
from bonus.domain.statement import StatedComponent, retraced, stated_components
from bonus.service.directory import assignments_of
from bonus.service.periods import current_periods, days_of
from bonus.service.plans import HeldPlan, accepted_by, published
from bonus.service.snapshots import current_figures
from bonus.service.statements import Reader
from bonus.tables import Period
from fairloop.auth import Caller
from fairloop.errors import NotFound
from fairloop.service import Runtime


@dataclass(frozen=True, slots=True)
class Goal:
    """One running period of one payee. `payout_minor`: were it to end now; None in a pool.

    `missing` says why nothing can be told yet; then there are no components.
    """

    period: Period
    plan: HeldPlan
    payee: Payee
    components: tuple[StatedComponent, ...]
    payout_minor: int | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class _Course:
    period: Period
    held: HeldPlan
    payee: Payee
    standing: Standing

    @property
    def alone(self) -> Plan:
        """The plan as if this payee were the only one."""
        return self.held.plan.only(self.payee)

    def figure_keys(self) -> set[FigureKey]:
        plan = self.held.plan
        units = {held.org_unit for held in self.standing.assignments.get(self.payee.employee, ())}
        units |= {
            c.scope.removeprefix("org_unit:") for c in plan.components if c.scope.startswith("org_unit:")
        }
        scopes = [("employee", self.payee.employee), ("organisation", ORGANISATION)]
        scopes += [("org_unit", unit) for unit in sorted(units)]
        measures = {(c.kpi, c.view) for c in plan.components}
        keys: set[FigureKey] = {(kpi, scope, id, view) for kpi, view in measures for scope, id in scopes}
        gates = (gate for gate in plan.gates if isinstance(gate, OrganisationKpi))
        return keys | {(gate.kpi, "organisation", ORGANISATION, gate.view) for gate in gates}


async def goals_of(runtime: Runtime, employee: str, *, caller: Caller, today: date) -> list[Goal]:
    """Raises NotFound for somebody else's goals, Unavailable without kpi-aggregator."""
    async with runtime.db.begin() as session:
        courses = await _courses(session, employee, caller, today)
    goals = []
    for course in courses:
        found = await current_figures(runtime.peers, days_of(course.period), course.figure_keys())
        goals.append(_stand(course, Figures.of(found)))
    return goals


async def _courses(session: AsyncSession, employee: str, caller: Caller, today: date) -> list[_Course]:
    assignments = await assignments_of(session, {employee})
    units = {
        held.org_unit for held in assignments.get(employee, ()) if held.days.start <= today < held.days.end
    }
    if not (await Reader.of(session, caller)).may_see(employee, units):
        raise NotFound(f"There are no goals of {employee}.")
    courses = []
    for period, held in await _with_plans(session, await current_periods(session, today)):
        payee = held.plan.payee(employee)
        if payee is not None:
            accepted = await accepted_by(session, held.id, held.text_hash)
            standing = Standing.of(days_of(period), assignments, accepted & {employee})
            courses.append(_Course(period, held, payee, standing))
    return courses


async def _with_plans(session: AsyncSession, periods: Iterable[Period]) -> list[tuple[Period, HeldPlan]]:
    found = [(period, await published(session, period.plan)) for period in periods]
    return [(period, held) for period, held in found if held is not None]


def _stand(course: _Course, figures: Figures) -> Goal:
    plan = course.alone
    try:
        ((settled,), _) = settle(plan, course.standing, figures)
    except MissingFigureError as error:
        return Goal(course.period, course.held, course.payee, (), None, str(error))
    paid = retraced(plan, course.payee, settled.payout, standing=course.standing, figures=figures)
    payout = None if plan.scheme == "pool" else paid.payout
    return Goal(
        course.period, course.held, course.payee, stated_components(plan, paid, figures), payout, None
    )
