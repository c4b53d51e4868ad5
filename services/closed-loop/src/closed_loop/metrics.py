"""What to watch at the deadlines."""

from prometheus_client import Gauge, Histogram
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.tables import PlanReminderRow, SlaTimerRow
from fairloop.service import Runtime

OVERDUE = Gauge(
    "fairloop_timer_overdue_seconds", "How long the longest overdue timer that did not fire yet has been due."
)
FIRED_LATE = Histogram(
    "fairloop_timer_fired_late_seconds",
    "Time from when a timer was due to when it fired.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400),
)


async def measure_timers(session: AsyncSession, runtime: Runtime) -> None:
    """Along the indexes of the armed timers, those of cases and those of action plans: one row of each is read."""
    firsts = [
        await session.scalar(select(func.min(timer.due_at)).where(timer.state == "armed"))
        for timer in (SlaTimerRow, PlanReminderRow)
    ]
    now = runtime.clock()
    OVERDUE.set(max([0.0, *((now - due_at).total_seconds() for due_at in firsts if due_at is not None)]))
