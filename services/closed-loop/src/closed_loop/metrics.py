"""What to watch at the deadlines."""

from prometheus_client import Gauge, Histogram
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.tables import SlaTimerRow
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
    """Along the index of the armed timers: one row is read."""
    due_at = await session.scalar(select(func.min(SlaTimerRow.due_at)).where(SlaTimerRow.state == "armed"))
    overdue = 0.0 if due_at is None else (runtime.clock() - due_at).total_seconds()
    OVERDUE.set(max(0.0, overdue))
