"""What the whole organisation wants to reach and where it is: for everybody to read."""

from dataclasses import dataclass
from datetime import date

from bonus.domain.plan import Component
from bonus.domain.snapshot import ORGANISATION, Figure
from bonus.service.goals import running_plans
from bonus.service.periods import days_of
from bonus.service.plans import HeldPlan
from bonus.service.snapshots import current_figures
from bonus.tables import Period
from fairloop.service import Runtime


@dataclass(frozen=True, slots=True)
class OrganisationGoal:
    period: Period
    held: HeldPlan
    component: Component
    figure: Figure


async def organisation_goals(runtime: Runtime, today: date) -> list[OrganisationGoal]:
    """The components of running periods that are about the organisation. Raises Unavailable without kpi-aggregator."""
    async with runtime.db.begin() as session:
        running = await running_plans(session, today)
    goals = []
    for period, held in running.values():
        components = [one for one in held.plan.components if one.scope == "organisation"]
        keys = {(one.kpi, "organisation", ORGANISATION, one.view) for one in components}
        found = await current_figures(runtime.peers, days_of(period), keys)
        by_measure = {(figure.kpi, figure.view): figure for figure in found}
        goals += [OrganisationGoal(period, held, one, by_measure[one.kpi, one.view]) for one in components]
    return goals
