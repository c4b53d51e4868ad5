"""Reading records of many partitions of the embedded log with one query."""

from collections.abc import Mapping

import msgspec
from asyncpg import Connection

from fairloop.log.port import Record, TopicPartition

MAX_BYTES = 32_000_000
"""A fetch stops after the record with which its values reach this size."""

# LATERAL can only run as a nested loop, so records come partition by partition, each in offset order, without a sort;
# the LIMIT ends the loop early.
READ = """
SELECT place, "offset", key, value, headers, at
FROM (
    SELECT want.place, found.*,
           sum(octet_length(found.value)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM unnest($1::text[], $2::integer[], $3::bigint[]) WITH ORDINALITY AS want (topic, part, start, place)
    CROSS JOIN LATERAL (
        SELECT "offset", key, value, headers, at FROM record
        WHERE record.topic = want.topic AND record.part = want.part AND record."offset" >= want.start
        ORDER BY record."offset" LIMIT $4
    ) AS found
    LIMIT $4
) AS batch
WHERE coalesce(bytes_before, 0) < $5
"""

_headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


async def read_batches(
    connection: Connection, starts: Mapping[TopicPartition, int], max_records: int
) -> dict[TopicPartition, list[Record]]:
    """Up to `max_records` records, of each partition from its start on, the partitions in the order given."""
    wanted = list(starts)
    rows = await connection.fetch(
        READ,
        [partition.topic for partition in wanted],
        [partition.partition for partition in wanted],
        list(starts.values()),
        max_records,
        MAX_BYTES,
    )
    batches: dict[TopicPartition, list[Record]] = {}
    decode = _headers.decode
    for place, offset, key, value, headers, at in rows:
        partition = wanted[place - 1]
        record = Record(partition.topic, partition.partition, offset, key, value, decode(headers), at)
        batches.setdefault(partition, []).append(record)
    return batches
