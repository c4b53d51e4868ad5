"""Where do I stand."""

from datetime import date
from typing import Annotated

from fastapi import Request
from pydantic import Field

from bonus.api.plan_body import CurveBody
from bonus.api.statement_body import ComponentOut
from bonus.service.goals import Goal, goals_of
from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Now, Routes, Slug

routes = Routes(tag="goals")


class GoalComponentOut(ComponentOut):
    curve: CurveBody


class GoalOut(Answer):
    """One running period. `payout_minor`: were it to end now; `missing`: why nothing can be told yet."""

    period: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: str
    mode: str
    currency: str
    target_bonus_minor: int
    payout_minor: int | None
    missing: str | None
    components: list[GoalComponentOut]


class GoalsOut(Answer):
    employee: str
    items: list[GoalOut]


@routes.get("/v1/goals/{employee}", allow=roles(Role.ADMIN, Role.FINANCE, Role.MANAGER, Role.EMPLOYEE))
async def get_goals(employee: Slug, request: Request, caller: Caller, now: Now) -> GoalsOut:
    """The figures as they are now, of every running period with this payee."""
    runtime = request.app.state.runtime
    today = now.astimezone(runtime.settings.zone).date()
    goals = await goals_of(runtime, employee, caller=caller, today=today)
    return GoalsOut(employee=employee, items=[_shown(goal) for goal in goals])


def _shown(goal: Goal) -> GoalOut:
    plan = goal.plan.plan
    curves = {
        component.id: CurveBody.model_validate(component.curve, from_attributes=True)
        for component in plan.components
    }
    return GoalOut(
        period=goal.period.id,
        start=goal.period.date_from,
        end=goal.period.date_to,
        plan=goal.plan.id,
        mode=plan.mode,
        currency=plan.currency,
        target_bonus_minor=goal.payee.target_bonus_minor,
        payout_minor=goal.payout_minor,
        missing=goal.missing,
        components=[
            GoalComponentOut(**dict(ComponentOut.model_validate(one)), curve=curves[one.id])
            for one in goal.components
        ],
    )
