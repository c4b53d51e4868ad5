"""The worker's eye on running figures: what has moved is announced within seconds of the answers that moved it."""

import asyncio

import structlog

from fairloop.clock import Clock
from fairloop.db import Database, is_transient
from fairloop.service import Runtime
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.service.shifts import Seen, find_shifts, seen
from kpi_aggregator.settings import KpiAggregatorSettings

log = structlog.get_logger()


async def watch_shifts(runtime: Runtime) -> None:
    """Look whenever something was counted, a day began or a setting changed; all else it needs is in the database."""
    settings: KpiAggregatorSettings = runtime.settings
    looked_at: dict[str, Seen] = {}
    while not runtime.stopping.is_set():
        try:
            for kpi in SCALES:
                await look(runtime.db, runtime.clock, settings, kpi, looked_at)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("shifts_wait_for_database", error=type(error).__name__)
        try:
            await asyncio.wait_for(runtime.stopping.wait(), settings.shift_seconds)
        except TimeoutError:
            continue


async def look(
    db: Database, clock: Clock, settings: KpiAggregatorSettings, kpi: str, looked_at: dict[str, Seen]
) -> None:
    """Find the shifts of one KPI, unless nothing has changed since the last look."""
    now = clock()
    today = now.astimezone(settings.zone).date()
    async with db.begin() as session:
        state = await seen(session, kpi, today)
        if looked_at.get(kpi) == state:
            return
        found = await find_shifts(session, kpi, today=today, now=now)
    looked_at[kpi] = state
    if found:
        log.info("shifts_found", kpi=kpi, shifts=found)
