"""Where do I stand: what counts, what does not, why, and how to object; and the organisation's own goals."""

from datetime import date
from typing import Annotated

from fastapi import Request
from pydantic import Field

from bonus.api.asked import Today
from bonus.api.objections import CallOut, objections
from bonus.api.periods import NoticeOut, notice_of
from bonus.api.plan_body import CurveBody
from bonus.api.statement_body import ComponentOut, ExcludedOut
from bonus.domain.plan import Component
from bonus.domain.progress import MEANINGS, Where, sentence, uncounted, where
from bonus.domain.statement import StatedComponent
from bonus.service.goals import Goal, goals_of
from bonus.service.organisation_goals import OrganisationGoal, organisation_goals
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Caller, Routes, Slug

routes = Routes(tag="goals")


class GoalComponentOut(ComponentOut):
    """`reliability` is λ of the person's own score. `where` and `sentence`: the score among the points of the curve."""

    curve: CurveBody
    reliability: float | None
    where: Where
    sentence: str


class UncountedOut(Answer):
    reason: str
    n: int
    meaning: str


class AnswersOut(Answer):
    """The responses behind the personal scores: how many count, and why each of the others does not."""

    counted: int
    not_counted: list[UncountedOut]
    excluded: list[ExcludedOut]


class GoalOut(Answer):
    """One running period. `payout_minor`: were it to end now; `missing`: why nothing can be told yet.

    `accepted`: this person has accepted the text that counts.
    """

    period: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: str
    mode: str
    currency: str
    target_bonus_minor: int
    payout_minor: int | None
    missing: str | None
    notice: NoticeOut | None
    accepted: bool
    components: list[GoalComponentOut]
    answers: AnswersOut


class OrganisationGoalOut(Answer):
    """A goal of the whole organisation in a running period, and its result so far."""

    period: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: str
    component: str
    kpi: str
    curve: CurveBody
    value: float | None
    ci95: tuple[float, float] | None
    n: int | None
    where: Where
    sentence: str


class OrganisationGoalsOut(Answer):
    items: list[OrganisationGoalOut]
    next: None = None


class GoalsOut(Answer):
    """`organisation`: the goals all work for. `objections`: how to object to any of it."""

    employee: str
    items: list[GoalOut]
    organisation: list[OrganisationGoalOut]
    objections: list[CallOut]


@routes.get("/v1/organisation-goals", allow=EVERYBODY)
async def get_organisation_goals(request: Request, today: Today) -> OrganisationGoalsOut:
    """What the organisation wants to reach in the running periods, and where it is."""
    goals = await organisation_goals(request.app.state.runtime, today)
    return OrganisationGoalsOut(items=[_of_organisation(goal) for goal in goals])


@routes.get("/v1/goals/{employee}", allow=roles(Role.ADMIN, Role.FINANCE, Role.MANAGER, Role.EMPLOYEE))
async def get_goals(employee: Slug, request: Request, caller: Caller, today: Today) -> GoalsOut:
    """The figures as they are now, of every running period with this payee."""
    runtime = request.app.state.runtime
    goals = await goals_of(runtime, employee, caller=caller, today=today)
    shared = await organisation_goals(runtime, today)
    return GoalsOut(
        employee=employee,
        items=[_shown(goal) for goal in goals],
        organisation=[_of_organisation(goal) for goal in shared],
        objections=objections(employee),
    )


def _shown(goal: Goal) -> GoalOut:
    course = goal.course
    plan, period = course.held.plan, course.period
    components = {component.id: component for component in plan.components}
    return GoalOut(
        period=period.id,
        start=period.date_from,
        end=period.date_to,
        plan=course.held.id,
        mode=plan.mode,
        currency=plan.currency,
        target_bonus_minor=course.payee.target_bonus_minor,
        payout_minor=goal.payout_minor,
        missing=goal.missing,
        notice=notice_of(course.published, period.date_from),
        accepted=course.accepted,
        components=[_component(goal, one, components[one.id]) for one in goal.components],
        answers=AnswersOut(
            counted=len(goal.evidence.counted),
            not_counted=[
                UncountedOut(reason=reason, n=n, meaning=MEANINGS.get(reason, reason))
                for reason, n in uncounted(goal.evidence.excluded).items()
            ],
            excluded=[
                ExcludedOut(response_id=id, reason=reason)
                for id, reason in sorted(goal.evidence.excluded.items())
            ],
        ),
    )


def _component(goal: Goal, stated: StatedComponent, component: Component) -> GoalComponentOut:
    employee = goal.course.payee.employee
    own = goal.figures.employee(component.kpi, employee, component.view) if component.personal else None
    return GoalComponentOut(
        **dict(ComponentOut.model_validate(stated)),
        curve=_curve(component),
        reliability=None if own is None or own.reliability is None else float(own.reliability),
        where=where(component.curve, stated.value),
        sentence=sentence(component.curve, stated.value, stated.ci95, stated.n),
    )


def _of_organisation(goal: OrganisationGoal) -> OrganisationGoalOut:
    figure, curve = goal.figure, goal.component.curve
    return OrganisationGoalOut(
        period=goal.period.id,
        start=goal.period.date_from,
        end=goal.period.date_to,
        plan=goal.held.id,
        component=goal.component.id,
        kpi=goal.component.kpi,
        curve=_curve(goal.component),
        value=None if figure.score is None else float(figure.score),
        ci95=None if figure.ci95 is None else (float(figure.ci95[0]), float(figure.ci95[1])),
        n=figure.n,
        where=where(curve, figure.score),
        sentence=sentence(curve, figure.score, figure.ci95, figure.n),
    )


def _curve(component: Component) -> CurveBody:
    return CurveBody.model_validate(component.curve, from_attributes=True)
