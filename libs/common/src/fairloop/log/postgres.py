"""The embedded event log: topics, partitions and groups in a PostgreSQL database of its own.

Offsets come from a head row that is locked while appending, never from a sequence, so they have no holes and no
record becomes visible after one with a higher offset.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec
from asyncpg import Connection
from asyncpg import Record as Row

from fairloop.log.port import (
    Assigned,
    LogUnavailableError,
    NewRecord,
    Record,
    Revoked,
    TopicMismatchError,
    TopicPartition,
)
from fairloop.log.postgres_link import CHANNEL, Link, connect, disconnect, dropped_on_error, ensure_schema
from fairloop.log.postgres_reader import read_batches
from fairloop.log.postgres_subscription import PostgresSubscription

APPEND = f"""
WITH locked AS (
    SELECT topic, part, next_offset FROM head
    WHERE (topic, part) IN (SELECT * FROM unnest($1::text[], $2::integer[]))
    ORDER BY topic, part FOR UPDATE
), added AS (
    INSERT INTO record (topic, part, "offset", key, value, headers, at)
    SELECT new.topic, new.part, locked.next_offset + new.place, new.key, new.value, new.headers,
           coalesce(new.at, clock_timestamp())
    FROM unnest($4::text[], $5::integer[], $6::bigint[], $7::bytea[], $8::bytea[], $9::bytea[], $11::timestamptz[])
         AS new (topic, part, place, key, value, headers, at)
    LEFT JOIN locked USING (topic, part)
), moved AS (
    UPDATE head SET next_offset = locked.next_offset + new.count
    FROM locked JOIN unnest($1::text[], $2::integer[], $3::bigint[]) AS new (topic, part, count) USING (topic, part)
    WHERE head.topic = locked.topic AND head.part = locked.part
)
SELECT pg_notify('{CHANNEL}', $10)
"""


_EXPIRED = """
SELECT first_offset, least(
    next_offset - $4,
    (SELECT min(next_offset) FROM group_offset WHERE topic = $1 AND part = $2),
    coalesce((SELECT max("offset") + 1 FROM (
        SELECT "offset", at FROM record
        WHERE topic = $1 AND part = $2 AND "offset" >= first_offset ORDER BY "offset" LIMIT $5
    ) AS oldest WHERE at < $3), first_offset)
) AS upto
FROM head WHERE topic = $1 AND part = $2
"""


class PostgresProducer:
    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection

    async def append(self, batches: Mapping[TopicPartition, Sequence[NewRecord]]) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            raise LogUnavailableError("the producer is in use, closed, or failed before")
        heads = sorted((partition, len(records)) for partition, records in batches.items() if records)
        rows = [
            (partition, place, record)
            for partition, _ in heads
            for place, record in enumerate(batches[partition])
        ]
        with dropped_on_error(connection):
            await connection.execute(
                APPEND,
                [partition.topic for partition, _ in heads],
                [partition.partition for partition, _ in heads],
                [count for _, count in heads],
                [partition.topic for partition, _, _ in rows],
                [partition.partition for partition, _, _ in rows],
                [place for _, place, _ in rows],
                [record.key for _, _, record in rows],
                [record.value for _, _, record in rows],
                [msgspec.msgpack.encode(record.headers) for _, _, record in rows],
                "append " + " ".join(sorted({partition.topic for partition, _ in heads})),
                [record.timestamp for _, _, record in rows],
            )
        self._connection = connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await disconnect(connection)


class PostgresLog:
    """The log in the database that `postgresql://…` names; the tables are made on first use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link = Link(url, "admin")

    async def __aenter__(self) -> Self:
        await self._link.run(ensure_schema)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._link.close()

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        async def create(connection: Connection) -> None:
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO topic SELECT * FROM unnest($1::text[], $2::integer[]) ON CONFLICT DO NOTHING",
                    list(partitions),
                    list(partitions.values()),
                )
                await connection.execute(
                    "INSERT INTO head (topic, part) SELECT name, generate_series(0, partitions - 1) FROM topic"
                    " ON CONFLICT DO NOTHING"
                )

        await self._link.run(create)
        await self.check_topics(partitions)

    async def check_topics(self, partitions: Mapping[str, int]) -> None:
        found = await self._topics(list(partitions))
        wrong = {name: found.get(name) for name, count in partitions.items() if found.get(name) != count}
        if wrong:
            raise TopicMismatchError(f"expected {dict(partitions)}, found otherwise: {wrong}")

    async def producer(self) -> PostgresProducer:
        return PostgresProducer(await connect(self._url, "producer"))

    async def subscribe(
        self, group: str, topics: Sequence[str], *, on_assigned: Assigned, on_revoked: Revoked
    ) -> PostgresSubscription:
        partitions = await self._topics(topics)
        if missing := set(topics) - set(partitions):
            raise TopicMismatchError(f"no such topics: {sorted(missing)}")
        subscription = PostgresSubscription(self._url, group, partitions, on_assigned, on_revoked)
        await subscription.open()
        return subscription

    async def bounds(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        rows = await self._select("SELECT topic, part, first_offset, next_offset FROM head", partitions)
        if missing := set(partitions) - set(rows):
            raise TopicMismatchError(f"no such partitions: {sorted(missing)}")
        return {partition: (row["first_offset"], row["next_offset"]) for partition, row in rows.items()}

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> Sequence[Record]:
        batches = await self._link.run(
            lambda connection: read_batches(connection, {partition: offset}, max_records)
        )
        return batches.get(partition, [])

    async def committed(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        query = "SELECT topic, part, next_offset FROM (SELECT * FROM group_offset WHERE group_name = $3)"
        rows = await self._select(query, partitions, group)
        return {partition: row["next_offset"] for partition, row in rows.items()}

    async def truncate(self, before: Mapping[TopicPartition, int]) -> None:
        """The head moves first, in a transaction of its own: appends never wait for the deleting."""

        async def delete(connection: Connection) -> None:
            for partition, offset in sorted(before.items()):
                first = await connection.fetchval(
                    "UPDATE head SET first_offset = greatest(first_offset, least($3, next_offset))"
                    " WHERE topic = $1 AND part = $2 RETURNING first_offset",
                    *partition,
                    offset,
                )
                await connection.execute(
                    'DELETE FROM record WHERE topic = $1 AND part = $2 AND "offset" < $3', *partition, first
                )

        await self._link.run(delete)

    async def expired(
        self, partition: TopicPartition, before: datetime, *, margin: int, most: int
    ) -> tuple[int, int]:
        """(first offset kept, offset to truncate to): at most `most` records, all older than `before`.

        Never past what a group has still to read, as far as it has said, nor into the last `margin` records.
        """
        row = await self._link.run(
            lambda connection: connection.fetchrow(
                _EXPIRED,
                *partition,
                before,
                margin,
                most,
            )
        )
        return (0, 0) if row is None else (row["first_offset"], row["upto"])

    async def all_topics(self) -> dict[str, int]:
        """Every topic there is → its partitions."""
        rows = await self._link.run(
            lambda connection: connection.fetch("SELECT name, partitions FROM topic ORDER BY name")
        )
        return {row["name"]: row["partitions"] for row in rows}

    async def _topics(self, names: Sequence[str]) -> dict[str, int]:
        rows = await self._link.run(
            lambda connection: connection.fetch(
                "SELECT name, partitions FROM topic WHERE name = ANY($1::text[])", list(names)
            )
        )
        return {row["name"]: row["partitions"] for row in rows}

    async def _select(
        self, query: str, partitions: Sequence[TopicPartition], *more: object
    ) -> dict[TopicPartition, Row]:
        """The rows of these partitions; `query` selects topic, part and whatever else, $3… are `more`."""
        rows = await self._link.run(
            lambda connection: connection.fetch(
                f"{query} WHERE (topic, part) IN (SELECT * FROM unnest($1::text[], $2::integer[]))",
                [partition.topic for partition in partitions],
                [partition.partition for partition in partitions],
                *more,
            )
        )
        return {TopicPartition(row["topic"], row["part"]): row for row in rows}
