"""For a consumer that is new or has lost its history: stand at the end of the log, then have everything again."""

from collections.abc import Sequence

from fairloop.db import sql
from fairloop.events import EventData, topics_of
from fairloop.log.port import Log, TopicPartition
from fairloop.outbox import publish
from fairloop.receipts import Position, lock_position
from fairloop.relay import log_tail
from fairloop.retention import note_run
from fairloop.service import Runtime, Service

_CHUNK = 500


async def bootstrap(service: Service, runtime: Runtime, event_log: Log) -> dict[TopicPartition, Position]:
    """Store the end of the log as this consumer's position, for every partition it consumes.

    Afterwards each producer republishes (`fairloop republish`). Run it with the worker stopped: a running one keeps
    a halted partition halted until it is restarted.
    """
    topics = topics_of(set(service.handlers(runtime.settings, runtime.clock)))
    partitions = [TopicPartition(topic.name, part) for topic in topics for part in range(topic.partitions)]
    stored: dict[TopicPartition, Position] = {}
    for partition in partitions:
        position = await log_tail(event_log, partition)
        async with runtime.db.begin() as session:
            await lock_position(session, partition)
            await sql(
                session,
                "UPDATE consumer_pos SET next_offset = $3, hw_pseq = $4 WHERE topic = $1 AND part = $2",
                *partition,
                position.next_offset,
                position.hw_pseq,
            )
            await sql(session, "DELETE FROM receipt WHERE topic = $1 AND part = $2", *partition)
        stored[partition] = position
    return stored


async def republish(service: Service, runtime: Runtime) -> int:
    """Publish the current state of every aggregate again: same versions, new event ids. Returns how many.

    Consumers that hold a version ignore it; one that has been bootstrapped takes it in.
    """
    if service.republish is None:
        return 0
    count = 0
    chunk: list[EventData] = []
    async with runtime.db.begin() as reading:
        async for event in service.republish(runtime, reading):
            chunk.append(event)
            if len(chunk) == _CHUNK:
                count += await _publish(runtime, chunk)
                chunk = []
    return count + await _publish(runtime, chunk)


async def _publish(runtime: Runtime, events: Sequence[EventData]) -> int:
    async with runtime.db.begin() as session:
        await publish(session, events)
        await note_run(session, "republish", rows=len(events), now=runtime.clock())
    return len(events)
