"""Where do I stand: today's figures of the running periods against the plan, and what they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.evidence import Evidence, evidence
from bonus.domain.missing import MissingFigureError
from bonus.domain.notice import Published
from bonus.domain.plan import OrganisationKpi, Payee, Plan
from bonus.domain.settlement import settle
from bonus.domain.snapshot import ORGANISATION, FigureKey, Figures
from bonus.domain.standing import Standing
from bonus.domain.statement import StatedComponent, retraced, stated_components
from bonus.service.acceptances import accepted_by
from bonus.service.directory import assignments_of
from bonus.service.notice import published_versions
from bonus.service.periods import current_periods, days_of
from bonus.service.plans import HeldPlan, plan_for_period
from bonus.service.snapshots import current_answers, current_coverage, current_figures
from bonus.service.statements import Reader
from bonus.tables import Period
from fairloop.auth import Caller
from fairloop.errors import Conflict, NotFound
from fairloop.service import Runtime


@dataclass(frozen=True, slots=True)
class Course:
    """A payee on the way through a running period. `published`: the plan's versions, oldest first."""

    period: Period
    held: HeldPlan
    published: list[Published]
    payee: Payee
    standing: Standing

    @property
    def accepted(self) -> bool:
        return self.payee.employee in self.standing.accepted

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


@dataclass(frozen=True, slots=True)
class Goal:
    """One running period of one payee. `payout_minor`: were it to end now; None in a pool.

    `missing` says why nothing can be told yet; then there are no components.
    """

    course: Course
    figures: Figures
    evidence: Evidence
    components: tuple[StatedComponent, ...]
    payout_minor: int | None
    missing: str | None


async def goals_of(runtime: Runtime, employee: str, *, caller: Caller, today: date) -> list[Goal]:
    """Raises NotFound for somebody else's goals, Unavailable without kpi-aggregator."""
    async with runtime.db.begin() as session:
        courses = await _courses(session, employee, caller, today)
    goals = []
    for course in courses:
        days, plan = days_of(course.period), course.alone
        figures = Figures.of(
            await current_figures(runtime.peers, days, course.figure_keys()),
            await current_coverage(runtime.peers, days, employee) if plan.asks_for_coverage else {},
        )
        personal = {component.kpi for component in plan.components if component.personal}
        answers = await current_answers(runtime.peers, days, employee, personal)
        behind = evidence(plan, employee, {(kpi, employee): found for kpi, found in answers.items()})
        goals.append(_stand(course, figures, behind))
    return goals


async def running_plans(session: AsyncSession, today: date) -> Mapping[str, tuple[Period, HeldPlan]]:
    """The running periods by id, each with the version of its plan that counts."""
    found = {}
    for period in await current_periods(session, today):
        try:
            held = await plan_for_period(session, period.plan, period.date_from)
        except Conflict:
            continue  # nothing was published yet
        found[period.id] = (period, held)
    return found


async def _courses(session: AsyncSession, employee: str, caller: Caller, today: date) -> list[Course]:
    assignments = await assignments_of(session, {employee}, levels=True)
    units = {
        held.org_unit for held in assignments.get(employee, ()) if held.days.start <= today < held.days.end
    }
    if not (await Reader.of(session, caller)).may_see(employee, units):
        raise NotFound(f"There are no goals of {employee}.")
    courses = []
    for period, held in (await running_plans(session, today)).values():
        payee = held.plan.payee(employee)
        if payee is not None:
            accepted = await accepted_by(session, held.id, held.text_hash)
            standing = Standing.of(days_of(period), assignments, accepted & {employee})
            versions = await published_versions(session, held.id)
            courses.append(Course(period, held, versions, payee, standing))
    return courses


def _stand(course: Course, figures: Figures, behind: Evidence) -> Goal:
    plan = course.alone
    try:
        ((settled,), _) = settle(plan, course.standing, figures)
    except MissingFigureError as error:
        return Goal(course, figures, behind, (), None, str(error))
    paid = retraced(plan, course.payee, settled.payout, standing=course.standing, figures=figures)
    payout = None if plan.scheme == "pool" else paid.payout
    return Goal(course, figures, behind, stated_components(plan, paid, figures), payout, None)
