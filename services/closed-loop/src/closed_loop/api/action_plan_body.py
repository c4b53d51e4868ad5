"""The body and the answer of an action plan."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import Field, StringConstraints, field_validator

from closed_loop.domain.action_plan import GoalScope, Plan, ReminderKind, Stage, open_ends
from closed_loop.service.action_plans import plan_of
from closed_loop.tables import ActionPlanRow, PlanReminderRow
from fairloop.web import Answer, Body, Slug

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
MOST_MINOR = 10**15


class ImpactBody(Body, Answer):
    """Money in minor units of an ISO 4217 currency, and how the amount was found."""

    amount_minor: int = Field(ge=-MOST_MINOR, le=MOST_MINOR)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    basis: Words


class GoalBody(Body, Answer):
    """The linked figure and what it shall be, on which day. It cannot be linked to another one later."""

    kpi: Literal["nps", "csat", "ces"] = "nps"
    scope_type: GoalScope
    scope_id: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,256}$")]
    target: Annotated[Decimal, Field(ge=-100, le=100, max_digits=6, decimal_places=2)]
    by: date


class TaskBody(Body, Answer):
    id: Slug
    title: Line
    owner: Slug
    due: date
    depends_on: list[Slug] = Field(default=[], max_length=50)
    done: bool = False


class ProjectPlanBody(Body, Answer):
    tasks: list[TaskBody] = Field(default=[], max_length=200)


class ActionPlanIn(Body):
    """The eight fields of the method, then what the plan is about and how it is kept going. No words of customers."""

    action_item: Line
    objective: Words
    background: Words
    business_impact: ImpactBody
    obstacles: list[Line] = Field(default=[], max_length=50)
    goal: GoalBody
    project_plan: ProjectPlanBody = ProjectPlanBody()
    result: Words | None = None
    stage: Stage = "draft"
    owner: Slug
    org_unit: Slug
    review_dates: list[date] = Field(default=[], max_length=100)
    causes: list[Slug] = Field(default=[], max_length=50)
    cases: list[UUID] = Field(default=[], max_length=500)

    @field_validator("review_dates")
    @classmethod
    def _in_order(cls, days: list[date]) -> list[date]:
        return sorted(set(days))

    def plan(self) -> Plan:
        """As the domain knows it."""
        given = self.model_dump(mode="json")
        given["tasks"] = given.pop("project_plan")["tasks"]
        return msgspec.convert(given, Plan, strict=False)


class ReminderOut(Answer):
    """`subject`: the task's id, else empty."""

    kind: ReminderKind
    subject: str
    due_on: date
    state: Literal["armed", "fired", "disarmed"]
    fired_at: datetime | None


class ComparisonOut(Answer):
    """The linked figure before the plan was made and since, and the difference with its 95 % interval."""

    before: dict[str, Any]
    after: dict[str, Any]
    difference: float | None
    ci95: tuple[float, float] | None
    goal_reached: bool | None
    message: str
    caveat: str


class ActionPlanOut(ActionPlanIn, Answer):
    """`analytics`: what was known of the linked figure when the plan was made, frozen. `open_tasks`: what can be done
    now."""

    id: str
    version: int
    analytics: dict[str, Any]
    comparison: ComparisonOut | None
    open_tasks: list[str]
    made_on: date
    created_by: str
    created_at: datetime
    updated_at: datetime


class ActionPlanDetail(ActionPlanOut):
    reminders: list[ReminderOut]


def plan_out(row: ActionPlanRow) -> ActionPlanOut:
    """A plan as it is listed."""
    return ActionPlanOut.model_validate(_fields(row))


def plan_detail(row: ActionPlanRow, reminders: list[PlanReminderRow]) -> ActionPlanDetail:
    """A plan with its reminders."""
    shown = [ReminderOut.model_validate(one) for one in reminders]
    return ActionPlanDetail.model_validate({**_fields(row), "reminders": shown})


def _fields(row: ActionPlanRow) -> dict[str, Any]:
    document = dict(row.document)
    tasks = document.pop("tasks")
    return {
        **document,
        "project_plan": {"tasks": tasks},
        "id": row.id,
        "version": row.version,
        "analytics": row.analytics,
        "comparison": row.comparison,
        "open_tasks": open_ends(plan_of(row)),
        "made_on": row.made_on,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
