"""Reminders of action plans: armed as the plan wants them, fired once when their day begins."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, tzinfo

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.action_plan import Plan, Reminder, ReminderKind, reminders, to_remind
from closed_loop.metrics import FIRED_LATE
from closed_loop.service.notifications import Subject, notify
from closed_loop.tables import ActionPlanRow, PlanReminderRow
from fairloop.clock import Clock
from fairloop.db import Database, sql

log = structlog.get_logger()

TOLD: dict[ReminderKind, str] = {
    "review": "action_plan_review",
    "task": "action_plan_task_due",
    "goal": "action_plan_goal_due",
}
_AT_ONCE = 200

_ARM = """
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest($2::text[], $3::text[], $4::date[], $5::timestamptz[]) AS new (kind, subject, due_on, due_at)
), disarmed AS (
  UPDATE plan_reminder AS held SET state = 'disarmed' WHERE plan_id = $1 AND state = 'armed'
  AND NOT EXISTS (SELECT FROM wanted
                  WHERE (wanted.kind, wanted.subject, wanted.due_on) = (held.kind, held.subject, held.due_on))
)
INSERT INTO plan_reminder AS held (plan_id, kind, subject, due_on, due_at, state)
SELECT $1, kind, subject, due_on, due_at, 'armed' FROM wanted
ON CONFLICT (plan_id, kind, subject, due_on) DO UPDATE SET state = 'armed' WHERE held.state = 'disarmed'
"""
"""What has fired stays fired, whatever the plan says again."""


async def arm(session: AsyncSession, plan_id: str, plan: Plan, *, zone: tzinfo) -> None:
    """Exactly the reminders a locked plan wants; a day begins at midnight in `zone`."""
    wanted = list(reminders(plan))
    await sql(
        session,
        _ARM,
        plan_id,
        [one.kind for one in wanted],
        [one.subject for one in wanted],
        [one.due_on for one in wanted],
        [datetime.combine(one.due_on, time(), zone).astimezone(UTC) for one in wanted],
    )


async def remind_due(db: Database, clock: Clock) -> int:
    """Fire the reminders that are due and say how many; those whose plan somebody has in hand wait."""
    async with db.begin() as session:
        due = await _due_plans(session, clock())
    fired = 0
    for plan_id in due:
        async with db.begin() as session:
            fired += await remind(session, plan_id, clock)
    return fired


async def remind(session: AsyncSession, plan_id: str, clock: Clock) -> int:
    """Fire what is due of one plan, in the session's transaction: the plan is locked first, then its reminders."""
    locked = select(ActionPlanRow).where(ActionPlanRow.id == plan_id).with_for_update(skip_locked=True)
    row = await session.scalar(locked)
    if row is None:
        return 0
    now = clock()
    statement = (
        select(PlanReminderRow)
        .where(
            PlanReminderRow.plan_id == plan_id,
            PlanReminderRow.state == "armed",
            PlanReminderRow.due_at <= now,
        )
        .order_by(PlanReminderRow.kind, PlanReminderRow.subject, PlanReminderRow.due_on)
        .with_for_update()
    )
    due = (await session.scalars(statement)).all()
    plan = msgspec.convert(row.document, Plan)
    for one in due:
        one.state, one.fired_at = "fired", now
        FIRED_LATE.observe((now - one.due_at).total_seconds())
        reminder = msgspec.convert({"kind": one.kind, "subject": one.subject, "due_on": one.due_on}, Reminder)
        recipient = to_remind(plan, reminder)
        await notify(session, [recipient], TOLD[reminder.kind], about=Subject("action_plan", plan_id), at=now)
    if due:
        log.info("reminders_fired", plan=plan_id, reminders=[one.kind for one in due])
    return len(due)


async def next_reminder(session: AsyncSession) -> datetime | None:
    """When the next armed one is due."""
    statement = select(func.min(PlanReminderRow.due_at)).where(PlanReminderRow.state == "armed")
    return await session.scalar(statement)


async def reminders_of(session: AsyncSession, plan_id: str) -> Sequence[PlanReminderRow]:
    """All of a plan, by day."""
    statement = (
        select(PlanReminderRow)
        .where(PlanReminderRow.plan_id == plan_id)
        .order_by(PlanReminderRow.due_on, PlanReminderRow.kind, PlanReminderRow.subject)
    )
    return (await session.scalars(statement)).all()


async def _due_plans(session: AsyncSession, now: datetime) -> Sequence[str]:
    """The plans with a reminder that is due, the longest overdue first."""
    statement = (
        select(PlanReminderRow.plan_id)
        .where(PlanReminderRow.state == "armed", PlanReminderRow.due_at <= now)
        .group_by(PlanReminderRow.plan_id)
        .order_by(func.min(PlanReminderRow.due_at))
        .limit(_AT_ONCE)
    )
    return (await session.scalars(statement)).all()
