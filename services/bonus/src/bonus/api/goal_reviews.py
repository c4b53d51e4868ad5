"""Is this still the right goal? Asked of every goal once a year, answered by name."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field

from bonus.api.asked import Today
from bonus.domain.goal_review import Decision, Status
from bonus.service.goal_reviews import Question, Reply, ReviewFigures, answer, figures_for, questions
from bonus.service.goal_reviews import question as load_question
from bonus.tables import GoalReview
from fairloop.auth import Role, roles
from fairloop.web import Answer, Body, Caller, Now, Routes, Session, Slug

routes = Routes(tag="goal-reviews")

READERS = roles(Role.ADMIN, Role.FINANCE, Role.ANALYST, Role.WORKS_COUNCIL)


class ReplyIn(Body):
    decision: Decision
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class ReplyOut(Answer):
    """`figures` as they were when it was answered."""

    due_on: date
    decision: Decision
    reason: str
    answered_by: str
    answered_at: datetime
    figures: dict[str, Any]


class QuestionOut(Answer):
    """Due a year after the goal was published or last answered about; overdue 30 days later; never when dropped."""

    plan: str
    component: str
    kpi: str
    scope: str
    question: str
    due_on: date
    status: Status
    last: ReplyOut | None


class QuestionsOut(Answer):
    items: list[QuestionOut]
    next: None = None


class PeriodFiguresOut(Answer):
    """Shares of the payees at nothing and at the most there is; null with fewer than 5 payees."""

    period: str
    payees: int
    at_zero: str | None
    at_cap: str | None
    median_attainment: str | None
    mean_reliability: str | None


class DisputesOut(Answer):
    filed: int
    upheld: int
    open: int


class AdoptionOut(Answer):
    n: int | None
    share: str | None


class ReviewFiguresOut(Answer):
    """Of the last year; `periods` the newest first. `missing`: which service did not answer."""

    periods: list[PeriodFiguresOut]
    disputes: DisputesOut | None
    inquiries: int
    adoption: AdoptionOut | None
    missing: list[str]


class QuestionDetail(QuestionOut):
    figures: ReviewFiguresOut
    answers: list[ReplyOut]


@routes.get("/v1/goal-reviews", allow=READERS)
async def get_questions(
    session: Session,
    today: Today,
    status: Status | None = None,
    as_of: Annotated[date | None, Query(description="as it will be on that day; today by default")] = None,
) -> QuestionsOut:
    """One for every goal of every published plan, the longest due first."""
    asked = sorted(await questions(session, as_of or today), key=lambda one: (one.due_on, one.held.id))
    return QuestionsOut(items=[_shown(one) for one in asked if status in {None, one.status}])


@routes.get("/v1/goal-reviews/{plan}/{component}", allow=READERS)
async def get_question(
    plan: Slug, component: Slug, request: Request, session: Session, today: Today
) -> QuestionDetail:
    """With the figures that answer it."""
    figures = await figures_for(request.app.state.runtime, plan, component, today)
    return _detail(await load_question(session, plan, component, today), figures)


@routes.post("/v1/goal-reviews/{plan}/{component}/answer", allow=roles(Role.ADMIN, Role.FINANCE))
async def post_answer(
    *,
    plan: Slug,
    component: Slug,
    body: ReplyIn,
    request: Request,
    session: Session,
    caller: Caller,
    now: Now,
    today: Today,
) -> QuestionDetail:
    """Keep, change or drop the goal, and why. Changing or dropping it is a new version of the plan, with its notice."""
    figures = await figures_for(request.app.state.runtime, plan, component, today)
    reply = Reply(body.decision, body.reason, caller, now, today)
    return _detail(await answer(session, plan, component, reply, figures), figures)


def _fields(asked: Question) -> dict[str, Any]:
    component = asked.component
    return {
        "plan": asked.held.id,
        "component": component.id,
        "kpi": component.kpi,
        "scope": component.scope,
        "question": f"Is {component.id} ({component.kpi} of {component.scope}) still the right goal?",
        "due_on": asked.due_on,
        "status": asked.status,
        "last": None if asked.last is None else _reply(asked.last),
    }


def _shown(asked: Question) -> QuestionOut:
    return QuestionOut(**_fields(asked))


def _detail(asked: Question, figures: ReviewFigures) -> QuestionDetail:
    return QuestionDetail(
        **_fields(asked),
        figures=ReviewFiguresOut.model_validate(figures),
        answers=[_reply(one) for one in asked.answers],
    )


def _reply(row: GoalReview) -> ReplyOut:
    return ReplyOut.model_validate(row)
