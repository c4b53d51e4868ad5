"""Asking once a year about every goal, and keeping who answered what with which figures in sight.

Whether a question is due is worked out when somebody asks; only answers are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.goal_review import (
    Decision,
    PeriodFigures,
    Status,
    due_on,
    period_figures,
    status,
)
from bonus.domain.lifecycle import CLOSED
from bonus.domain.plan import Component
from bonus.service.goal_results import every_result
from bonus.service.notice import all_published
from bonus.service.plans import HeldPlan, plan_version
from bonus.service.review_evidence import Adoption, Disputes, adoption_of, disputes_about
from bonus.tables import BonusRunRow, GoalReview, Inquiry, Period
from fairloop.auth import Caller
from fairloop.db import sql
from fairloop.errors import Conflict, NotFound
from fairloop.service import Runtime

LAST_PERIODS = 4
YEAR = 366  # days looked back on


_SINCE = """
SELECT plan.id AS plan, part ->> 'id' AS component, min(coalesce(published_on, changed_at::date)) AS since
FROM plan, jsonb_array_elements(body -> 'components') AS part WHERE status = 'published' GROUP BY 1, 2
"""
"""When each goal was published first."""


@dataclass(frozen=True, slots=True)
class Question:
    """Is this component of a plan still the right goal? `last`: the newest answer."""

    held: HeldPlan
    component: Component
    due_on: date
    status: Status
    answers: tuple[GoalReview, ...]

    @property
    def last(self) -> GoalReview | None:
        return self.answers[-1] if self.answers else None


class ReviewFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to answer with. `adoption` of the behaviours the goal relies on, where somebody observed any."""

    periods: tuple[PeriodFigures, ...]
    disputes: Disputes | None
    inquiries: int
    adoption: Adoption | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    decision: Decision
    reason: str
    caller: Caller
    now: datetime
    today: date


async def questions(session: AsyncSession, today: date) -> list[Question]:
    """One for every component of the newest published text of every plan, by plan."""
    answers: dict[tuple[str, str], list[GoalReview]] = {}
    for row in await session.scalars(select(GoalReview).order_by(GoalReview.answered_at)):
        answers.setdefault((row.plan, row.component), []).append(row)
    since = {(row.plan, row.component): row.since for row in await sql(session, _SINCE)}
    asked = []
    for plan, versions in sorted((await all_published(session)).items()):
        held = await plan_version(session, plan, versions[-1].version)
        for component in held.plan.components:
            given = answers.get((plan, component.id), [])
            due = due_on(since[plan, component.id], [one.answered_at.date() for one in given])
            asked.append(
                Question(
                    held,
                    component,
                    due,
                    status(due, today, dropped=_dropped(given, versions[-1].published_on)),
                    tuple(given),
                )
            )
    return asked


def _dropped(answers: Sequence[GoalReview], published_on: date) -> bool:
    """The last answer was to drop the goal, and no text published since has it again."""
    return bool(answers) and answers[-1].decision == "drop" and published_on <= answers[-1].answered_at.date()


async def question(session: AsyncSession, plan: str, component: str, today: date) -> Question:
    """Raises NotFound."""
    for one in await questions(session, today):
        if (one.held.id, one.component.id) == (plan, component):
            return one
    raise NotFound(f"There is no published goal {component} in a plan {plan}.")


async def figures_for(runtime: Runtime, plan: str, component: str, today: date) -> ReviewFigures:
    """Results, disputes, inquiries and adoption of the last year. What cannot be had is named in `missing`."""
    since = date.fromordinal(today.toordinal() - YEAR)
    async with runtime.db.begin() as session:
        asked = await question(session, plan, component, today)
        periods = await _results(session, asked)
        inquiries = await _inquiries(session, plan, since)
    payees = {payee.employee for payee in asked.held.plan.payees}
    disputes = await disputes_about(runtime.peers, payees, since)
    adoption = await adoption_of(runtime.peers, since, today)
    missing = [
        f"{name} did not answer"
        for name, found in (("attribution", disputes), ("closed-loop", adoption))
        if found is None
    ]
    return ReviewFigures(
        periods=periods,
        disputes=disputes,
        inquiries=inquiries,
        adoption=adoption,
        missing=tuple(missing),
    )


async def answer(
    session: AsyncSession, plan: str, component: str, reply: Reply, figures: ReviewFigures
) -> Question:
    """Keep the answer with its figures; the next question comes a year from now. Raises NotFound, Conflict."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"goal-review:{plan}:{component}", 0)))
    )
    asked = await question(session, plan, component, reply.today)
    if await session.get(GoalReview, (plan, component, asked.due_on)) is not None:
        raise Conflict("The question of today is answered already.")
    session.add(
        GoalReview(
            plan=plan,
            component=component,
            due_on=asked.due_on,
            decision=reply.decision,
            reason=reply.reason,
            answered_by=reply.caller.employee_id or reply.caller.sub,
            answered_at=reply.now,
            figures=msgspec.to_builtins(figures),
        )
    )
    await session.flush()
    return await question(session, plan, component, reply.today)


async def _results(session: AsyncSession, asked: Question) -> tuple[PeriodFigures, ...]:
    """The last closed periods, the newest first."""
    runs = await session.scalars(
        select(BonusRunRow)
        .where(BonusRunRow.plan == asked.held.id, BonusRunRow.status.in_(CLOSED))
        .order_by(BonusRunRow.date_to.desc(), BonusRunRow.id.desc())
        .limit(LAST_PERIODS)
    )
    found = []
    for run in runs.all():
        results = [
            result
            async for payee in every_result(session, run)
            for result in payee
            if result.stated.id == asked.component.id
        ]
        if results:
            plan = asked.held.plan
            found.append(period_figures(run.period, plan.scheme, results[0].curve, results))
    return tuple(found)


async def _inquiries(session: AsyncSession, plan: str, since: date) -> int:
    count = select(func.count()).select_from(Inquiry).join(Period, Period.id == Inquiry.period)
    start = datetime.combine(since, time.min, tzinfo=UTC)
    return await session.scalar(count.where(Period.plan == plan, Inquiry.asked_at >= start)) or 0
