"""What a process tells about itself, collected by slow loops: no scrape ever waits for a database."""

import time
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop import telemetry
from fairloop.db import Row, is_transient, sql
from fairloop.events import produced_by, topics_of
from fairloop.service import Background, Runtime, Service
from fairloop.waiting import wait_for_event
from fairloop.web.health import NO_ANSWER, Health, readiness

PAUSE_SECONDS = 5.0
_SHARE = 20
"""A measurement that took a second is followed by a pause of twenty: counting a long outbox does not slow it down."""

_WAITING = """
SELECT 'outbox', topic, count(*), extract(epoch FROM now() - min(created_at))::float8 FROM outbox GROUP BY topic
UNION ALL
SELECT 'parked', topic, count(DISTINCT (part, key)), 0 FROM parked_event WHERE state = 'parked' GROUP BY topic
UNION ALL
SELECT 'database', '', pg_database_size(current_database()), 0
"""

_JOBS = "SELECT job, extract(epoch FROM last_success_at)::float8, rows_total FROM job_run"


async def watch_readiness(service: Service, runtime: Runtime, health: Health, *, worker_only: bool) -> None:
    """In every process: is it ready, and what of it is up."""
    while not runtime.stopping.is_set():
        status, body = await readiness(service, runtime, health, worker_only=worker_only)
        telemetry.READY.labels(service.name).set(status == 200)
        telemetry.DATABASE_UP.labels(service.name).set(NO_ANSWER not in body["reasons"])
        if health.log_up is not None:
            telemetry.LOG_UP.labels(service.name).set(health.log_up)
        await wait_for_event(runtime.stopping, PAUSE_SECONDS)


def now_and_then(
    measure: Callable[[AsyncSession, Runtime], Awaitable[None]], *, seconds: float
) -> Background:
    """A loop of the worker for what takes longer to read than `Service.gauges` may; outlives an absent database."""

    async def measuring(runtime: Runtime) -> None:
        while not runtime.stopping.is_set():
            began = time.monotonic()
            try:
                async with runtime.db.begin() as session:
                    await measure(session, runtime)
            except Exception as error:
                if not is_transient(error):
                    raise
            await wait_for_event(runtime.stopping, max(seconds, _SHARE * (time.monotonic() - began)))

    return measuring


class Measuring:
    """In every worker: what its database says that waits. A figure that is no longer there becomes 0."""

    def __init__(self, service: Service, runtime: Runtime) -> None:
        self.service = service
        self.runtime = runtime
        self._produced = [topic.name for topic in produced_by(service.name)]
        self._consumed = [
            topic.name for topic in topics_of(set(service.handlers(runtime.settings, runtime.clock)))
        ]
        self._rows_told: dict[str, int] = {}

    async def run(self) -> None:
        """Measure until told to stop; lives through an absent database."""
        stopping = self.runtime.stopping
        while not stopping.is_set():
            began = time.monotonic()
            try:
                await self.measure()
            except Exception as error:
                if not is_transient(error):
                    raise
            await wait_for_event(stopping, max(PAUSE_SECONDS, _SHARE * (time.monotonic() - began)))

    async def measure(self) -> None:
        async with self.runtime.db.begin() as session:
            self._tell_waiting(await sql(session, _WAITING))
            self._tell_jobs(await sql(session, _JOBS))
            if self.service.gauges is not None:
                await self.service.gauges(session, self.runtime)
        telemetry.MEASURED_AT.labels(self.service.name).set_to_current_time()

    def _tell_waiting(self, rows: Sequence[Row]) -> None:
        found = {(kind, topic): (count, age) for kind, topic, count, age in rows}
        name = self.service.name
        telemetry.DATABASE_BYTES.labels(name).set(found["database", ""][0])
        for topic in self._produced:
            depth, age = found.get(("outbox", topic), (0, 0.0))
            telemetry.OUTBOX_DEPTH.labels(name, topic).set(depth)
            telemetry.OUTBOX_AGE.labels(name, topic).set(age)
        for topic in self._consumed:
            telemetry.PARKED.labels(name, topic).set(found.get(("parked", topic), (0, 0.0))[0])

    def _tell_jobs(self, rows: Sequence[Row]) -> None:
        for job, last_success, total in rows:
            labels = (self.service.name, job)
            if last_success is not None:
                telemetry.JOB_SUCCESS.labels(*labels).set(last_success)
            told = self._rows_told.get(job, 0)
            telemetry.JOB_ROWS.labels(*labels).inc(max(0, total - told))
            self._rows_told[job] = total
