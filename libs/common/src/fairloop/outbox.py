"""Events leave through a table, in the transaction that makes them true; the relay carries them to the log."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import TOPICS, EventData
from fairloop.ids import uuid7
from fairloop.log.partitioner import partition_of
from fairloop.tracing import origins

CHANNEL = "fairloop_outbox"

_INSERT = f"""
WITH written AS (
    INSERT INTO outbox (event_id, topic, part, key, type, payload, traceparent)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::bytea[], $7::text[])
)
SELECT pg_notify('{CHANNEL}', '')
"""

_encoder = msgspec.json.Encoder(decimal_format="string")


def part_of(event: EventData) -> int:
    """The partition of its topic that an event belongs to."""
    return partition_of(event.key.encode(), TOPICS[event.topic].partitions)


def payload_of(event: EventData) -> bytes:
    """An event as it stands in the outbox and in the log."""
    return _encoder.encode(event)


async def publish(
    session: AsyncSession, events: Sequence[EventData], *, traceparents: Sequence[str | None] | None = None
) -> None:
    """Put events into the outbox, in this order, in the session's transaction.

    The caller holds a lock on each aggregate's row before it publishes, so that the order of one aggregate's
    events in the outbox is the order of its commits. `traceparents`, one an event: for whoever publishes for others
    than the request or batch the session is of.
    """
    if not events:
        return
    await sql(
        session,
        _INSERT,
        [uuid7() for _ in events],
        [event.topic for event in events],
        [part_of(event) for event in events],
        [event.key for event in events],
        [event.type for event in events],
        [payload_of(event) for event in events],
        origins(session, events) if traceparents is None else list(traceparents),
    )
