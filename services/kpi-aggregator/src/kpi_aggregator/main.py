"""The kpi-aggregator service."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import EventData
from fairloop.measuring import now_and_then
from fairloop.process import run
from fairloop.retention import Retention, days
from fairloop.service import Runtime, Service
from kpi_aggregator.api import ROUTES
from kpi_aggregator.handlers import build_handlers
from kpi_aggregator.metrics import measure_trust
from kpi_aggregator.service.recompute import recompute
from kpi_aggregator.service.recovering import recovery
from kpi_aggregator.service.shifts import announced
from kpi_aggregator.service.snapshots import announcement
from kpi_aggregator.settings import KpiAggregatorSettings
from kpi_aggregator.tables import Base, Shift, Snapshot
from kpi_aggregator.watching import watch_shifts

PREDICTIONS = Retention(
    job="prediction",
    table="prediction",
    key=("run_id", "interaction"),
    age="run_id",
    by_id=True,
    keep=lambda settings: days(settings.keep_prediction_days),
)


async def republish(runtime: Runtime, session: AsyncSession) -> AsyncIterator[EventData]:
    """Every snapshot and every shift, announced again."""
    for snapshot in await session.scalars(select(Snapshot).order_by(Snapshot.id)):
        yield announcement(snapshot)
    for shift in await session.scalars(select(Shift).order_by(Shift.id)):
        yield announced(shift)


service = Service(
    name="kpi-aggregator",
    package="kpi_aggregator",
    settings=KpiAggregatorSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    handlers=build_handlers,
    background=[watch_shifts, now_and_then(measure_trust, seconds=60)],
    retention=[PREDICTIONS],
    recovery=recovery,
    republish=republish,
    recompute=recompute,
)

if __name__ == "__main__":
    run(service)
