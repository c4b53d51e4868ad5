"""The worker of one service: relay, consumer, the service's own loops, housekeeping. One fails, all end."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop import telemetry
from fairloop.consumer import Consumer
from fairloop.db import is_transient, sql
from fairloop.events import produced_by, topics_of
from fairloop.log import open_log
from fairloop.log.port import Log, LogUnavailableError
from fairloop.receipts import forget_old_receipts
from fairloop.relay import Relay
from fairloop.service import Runtime, Service
from fairloop.waiting import Backoff, wait_for_event
from fairloop.web.health import Health
from fairloop.web.idempotency import forget_old_answers

log = structlog.get_logger()

_MEASURE_SECONDS = 5.0
_TIDY_EVERY = 720  # measurements: an hour


def topics_used(service: Service, runtime: Runtime) -> Mapping[str, int]:
    """Topic → partitions, of what a service produces and consumes."""
    consumed = topics_of(set(service.handlers(runtime.settings, runtime.clock)))
    return {topic.name: topic.partitions for topic in (*produced_by(service.name), *consumed)}


async def run_worker(service: Service, runtime: Runtime, health: Health) -> None:
    """Work until `runtime.stopping` is set. Any unexpected error of a part ends the whole."""
    handlers = service.handlers(runtime.settings, runtime.clock)
    async with AsyncExitStack() as stack:
        event_log = await _reach_log(service, runtime, health, stack)
        if event_log is None:
            return
        group = await stack.enter_async_context(asyncio.TaskGroup())
        relay = Relay(
            service=service.name,
            database_url=runtime.settings.database_url,
            event_log=event_log,
            health=health,
        )
        group.create_task(relay.run(runtime.stopping), name="relay")
        if handlers:
            consumer = Consumer(
                service=service.name, db=runtime.db, event_log=event_log, handlers=handlers, health=health
            )
            group.create_task(consumer.run(runtime.stopping), name="consumer")
        for background in service.background:
            group.create_task(background(runtime), name=background.__name__)
        group.create_task(_housekeeping(service, runtime), name="housekeeping")


async def _reach_log(service: Service, runtime: Runtime, health: Health, stack: AsyncExitStack) -> Log | None:
    """The log, once it can be reached; None when told to stop first.

    Raises TopicMismatchError, which ends the process, when topics are not as the catalogue says.
    """
    backoff = Backoff(most=5.0)
    while not runtime.stopping.is_set():
        try:
            event_log = await stack.enter_async_context(open_log(runtime.settings.log_url))
            await event_log.check_topics(topics_used(service, runtime))
        except LogUnavailableError as error:
            health.log_up = False
            log.warning("worker_waits_for_log", error=str(error))
            await wait_for_event(runtime.stopping, backoff.next())
        else:
            health.log_up = True
            return event_log
    return None


async def _housekeeping(service: Service, runtime: Runtime) -> None:
    """Measure what waits; once an hour forget what is no longer owed."""
    round_number = 0
    while not runtime.stopping.is_set():
        try:
            async with runtime.db.begin() as session:
                await _measure(service, session)
                if round_number % _TIDY_EVERY == 0:
                    await forget_old_receipts(session)
                    await forget_old_answers(session)
            round_number += 1
        except Exception as error:
            if not is_transient(error):
                raise
        await wait_for_event(runtime.stopping, _MEASURE_SECONDS)


async def _measure(service: Service, session: AsyncSession) -> None:
    waiting = await sql(
        session, "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox"
    )
    telemetry.OUTBOX_DEPTH.labels(service.name).set(waiting[0][0])
    telemetry.OUTBOX_AGE.labels(service.name).set(float(waiting[0][1]))
    parked = await sql(
        session,
        "SELECT count(*) FROM (SELECT DISTINCT topic, part, key FROM parked_event WHERE state = 'parked') AS k",
    )
    telemetry.PARKED.labels(service.name).set(parked[0][0])
