"""The worker of one service: relay, consumer, the service's own loops, measuring, upkeep. One fails, all end."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog

from fairloop.consumer import Consumer
from fairloop.events import produced_by, topics_of
from fairloop.log import open_log
from fairloop.log.port import Log, LogUnavailableError
from fairloop.measuring import Measuring
from fairloop.relay import Relay
from fairloop.service import Runtime, Service
from fairloop.upkeep import keep_up
from fairloop.waiting import Backoff, wait_for_event
from fairloop.web.health import Health

log = structlog.get_logger()


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
            tracing=runtime.tracing,
        )
        group.create_task(relay.run(runtime.stopping), name="relay")
        if handlers:
            consumer = Consumer(
                service=service.name,
                db=runtime.db,
                event_log=event_log,
                handlers=handlers,
                health=health,
                tracing=runtime.tracing,
            )
            group.create_task(consumer.run(runtime.stopping), name="consumer")
        for background in service.background:
            group.create_task(background(runtime), name=background.__name__)
        group.create_task(Measuring(service, runtime).run(), name="measuring")
        group.create_task(keep_up(service, runtime, event_log), name="upkeep")


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
