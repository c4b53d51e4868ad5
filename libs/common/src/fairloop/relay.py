"""Carries the outbox to the log: numbers events durably, then sends them, then forgets them.

One relay is active per topic partition; others stand by. All its statements run on the one connection that holds
the advisory locks: a pool would drop them. A second relay (a stopped one that wakes up) can only send duplicates,
which consumers recognise by their numbers.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from itertools import groupby

import asyncpg
import structlog

from fairloop import telemetry
from fairloop.db import is_transient
from fairloop.events import produced_by
from fairloop.log.port import Log, LogUnavailableError, NewRecord, Producer, TopicPartition
from fairloop.outbox import CHANNEL
from fairloop.receipts import Position
from fairloop.waiting import Backoff, wait_for_event
from fairloop.web.health import Health
from fairloop.wire import pseq_of, to_record

log = structlog.get_logger()

_ROUND = 2000  # events a round; each partition's share is sent as one batch
_CLAIM_SECONDS = 2.0
_PROBE_SECONDS = 5.0
_LOOK_BACK = 100

_NUMBER = """
WITH held (topic, part) AS (SELECT * FROM unnest($1::text[], $2::smallint[])),
picked AS (
    SELECT seq, topic, part, row_number() OVER (PARTITION BY topic, part ORDER BY seq) AS place
    FROM (
        SELECT seq, topic, part FROM outbox JOIN held USING (topic, part)
        WHERE pseq IS NULL ORDER BY seq LIMIT $3
    ) AS oldest
),
advanced AS (
    UPDATE outbox_head AS head SET next_pseq = head.next_pseq + taken.count
    FROM (SELECT topic, part, count(*) AS count FROM picked GROUP BY topic, part) AS taken
    WHERE head.topic = taken.topic AND head.part = taken.part
)
UPDATE outbox SET pseq = head.next_pseq + picked.place - 1
FROM picked JOIN outbox_head AS head USING (topic, part)
WHERE outbox.seq = picked.seq
RETURNING outbox.seq, outbox.event_id, outbox.topic, outbox.part, outbox.key, outbox.type, outbox.payload,
    outbox.pseq, outbox.created_at
"""

_NUMBERED = """
SELECT seq, event_id, topic, part, key, type, payload, pseq, created_at
FROM outbox JOIN unnest($1::text[], $2::smallint[]) AS held (topic, part) USING (topic, part)
WHERE pseq IS NOT NULL ORDER BY topic, part, pseq LIMIT $3
"""

_LOCK_HEADS = """
SELECT next_pseq FROM outbox_head JOIN unnest($1::text[], $2::smallint[]) AS held (topic, part) USING (topic, part)
ORDER BY topic, part FOR UPDATE OF outbox_head
"""


class Relay:
    """The relay of one service."""

    def __init__(self, *, service: str, database_url: str, event_log: Log, health: Health) -> None:
        self.service = service
        self.database_url = database_url
        self.log = event_log
        self.health = health
        self.partitions = [
            TopicPartition(topic.name, part)
            for topic in produced_by(service)
            for part in range(topic.partitions)
        ]

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until told to stop; lives through an absent database and an absent log."""
        backoff = Backoff(most=5.0)
        while not stopping.is_set():
            try:
                await self._hold(stopping, backoff)
            except LogUnavailableError as error:
                self.health.log_up = False
                log.warning("relay_waits_for_log", error=str(error))
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("relay_waits_for_database", error=type(error).__name__)
            await wait_for_event(stopping, backoff.next())

    async def _hold(self, stopping: asyncio.Event, backoff: Backoff) -> None:
        """One life of the connection that holds the locks, and of one producer."""
        connection = await asyncpg.connect(self.database_url, timeout=5)
        try:
            wake = asyncio.Event()
            await connection.add_listener(CHANNEL, lambda *_: wake.set())
            producer = await self.log.producer()
            try:
                await self._relay(connection, producer, wake, stopping, backoff)
            finally:
                await producer.close()
        finally:
            connection.terminate()

    async def _relay(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        producer: Producer,
        wake: asyncio.Event,
        stopping: asyncio.Event,
        backoff: Backoff,
    ) -> None:
        held: list[TopicPartition] = []
        claim_at = probe_at = 0.0
        while not stopping.is_set():
            now = time.monotonic()
            if len(held) < len(self.partitions) and now >= claim_at:
                claim_at = now + _CLAIM_SECONDS
                held += await self._claim(connection, producer, held)
            if now >= probe_at:
                probe_at = now + _PROBE_SECONDS
                await self.log.bounds(self.partitions)
                self.health.log_up = True
            wake.clear()
            rows = await self._number(connection, held) if held else []
            await self._send(connection, producer, rows)
            if rows:
                backoff.reset()
            if len(rows) < _ROUND:  # what was added since has set `wake` again
                await wait_for_event(wake, 1.0)

    async def _claim(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        producer: Producer,
        held: Sequence[TopicPartition],
    ) -> list[TopicPartition]:
        """Partitions this relay now leads: locked, compared with the log, and rid of what an earlier one left."""
        claimed: list[TopicPartition] = []
        for partition in self.partitions:
            name = f"{partition.topic}/{partition.partition}"
            if partition in held or name in self.health.halted:
                continue
            if await connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", f"relay:{name}"
            ):
                claimed.append(partition)
        sound = [partition for partition in claimed if await self._agrees_with_log(connection, partition)]
        while rows := await connection.fetch(_NUMBERED, *_columns(sound), _ROUND):
            await self._send(connection, producer, rows)
        return sound

    async def _agrees_with_log(
        self, connection: "asyncpg.Connection[asyncpg.Record]", partition: TopicPartition
    ) -> bool:
        """False, and halted, when the log holds numbers this database has not given out: it was restored."""
        next_pseq: int = await connection.fetchval(
            "WITH made AS (INSERT INTO outbox_head (topic, part, next_pseq) VALUES ($1, $2, 1)"
            " ON CONFLICT DO NOTHING RETURNING next_pseq) SELECT next_pseq FROM made"
            " UNION ALL SELECT next_pseq FROM outbox_head WHERE topic = $1 AND part = $2",
            *partition,
        )
        last = (await log_tail(self.log, partition)).hw_pseq
        if last < next_pseq:
            return True
        reason = (
            f"the log is at number {last}, this database has given out {next_pseq - 1}: it went back in time"
        )
        self.health.halted[f"{partition.topic}/{partition.partition}"] = reason
        telemetry.HALTED.labels(self.service, partition.topic, str(partition.partition)).set(1)
        log.error("relay_halted", topic=partition.topic, partition=partition.partition, reason=reason)
        return False

    async def _number(
        self, connection: "asyncpg.Connection[asyncpg.Record]", held: Sequence[TopicPartition]
    ) -> list[asyncpg.Record]:
        """Give the next numbers to the oldest events, durably, before any of them is sent."""
        columns = _columns(held)
        async with connection.transaction():
            await connection.fetch(
                _LOCK_HEADS, *columns
            )  # its own statement: the next one sees what it waited for
            rows = await connection.fetch(_NUMBER, *columns, _ROUND)
        return sorted(rows, key=lambda row: (row["topic"], row["part"], row["pseq"]))

    async def _send(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        producer: Producer,
        rows: Sequence[asyncpg.Record],
    ) -> None:
        """Append numbered rows, sorted by partition and number, and delete them once every one is durable."""
        if not rows:
            return
        await producer.append(self._batches(rows))
        await connection.execute(
            "DELETE FROM outbox WHERE seq = ANY($1::bigint[])", [row["seq"] for row in rows]
        )
        for row in rows:
            telemetry.RELAYED.labels(self.service, row["topic"]).inc()

    def _batches(self, rows: Sequence[asyncpg.Record]) -> dict[TopicPartition, list[NewRecord]]:
        return {
            TopicPartition(*partition): [
                to_record(
                    source=self.service,
                    event_id=row["event_id"],
                    type=row["type"],
                    key=row["key"],
                    payload=row["payload"],
                    pseq=row["pseq"],
                    time=row["created_at"],
                )
                for row in group
            ]
            for partition, group in groupby(rows, key=lambda row: (row["topic"], row["part"]))
        }


def _columns(partitions: Iterable[TopicPartition]) -> tuple[list[str], list[int]]:
    listed = list(partitions)
    return [partition.topic for partition in listed], [partition.partition for partition in listed]


async def log_tail(event_log: Log, partition: TopicPartition) -> Position:
    """Where a partition of the log ends, and the number of its last event, from one reading: 0 when it is empty."""
    first, end = (await event_log.bounds([partition]))[partition]
    if end == first:
        return Position(end, 0)
    records = await event_log.read(partition, max(first, end - _LOOK_BACK), max_records=_LOOK_BACK)
    numbers = [pseq for record in records if (pseq := pseq_of(record)) is not None]
    return Position(records[-1].offset + 1, max(numbers, default=0))
