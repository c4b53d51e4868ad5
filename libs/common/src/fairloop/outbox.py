"""Events leave through a table, in the transaction that makes them true; the relay carries them to the log."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import TOPICS, EventData
from fairloop.ids import uuid7
from fairloop.log.partitioner import partition_of

CHANNEL = "fairloop_outbox"

_INSERT = f"""
WITH written AS (
    INSERT INTO outbox (event_id, topic, part, key, type, payload)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::bytea[])
)
SELECT pg_notify('{CHANNEL}', '')
"""

_encoder = msgspec.json.Encoder(decimal_format="string")


async def publish(session: AsyncSession, events: Sequence[EventData]) -> None:
    """Put events into the outbox, in this order, in the session's transaction.

    The caller holds a lock on each aggregate's row before it publishes, so that the order of one aggregate's
    events in the outbox is the order of its commits.
    """
    if not events:
        return
    keys = [event.key for event in events]
    await sql(
        session,
        _INSERT,
        [uuid7() for _ in events],
        [event.topic for event in events],
        [
            partition_of(key.encode(), TOPICS[event.topic].partitions)
            for key, event in zip(keys, events, strict=True)
        ],
        keys,
        [event.type for event in events],
        [_encoder.encode(event) for event in events],
    )
