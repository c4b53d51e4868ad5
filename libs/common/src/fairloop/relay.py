"""Carries the outbox to the log: numbers events durably, then sends them, then forgets them.

One relay is active per topic partition; others stand by. All its statements run on the one connection that holds
the advisory locks: a pool would drop them. A second relay (a stopped one that wakes up) can only send duplicates,
which consumers recognise by their numbers.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

import asyncpg
import structlog
from opentelemetry.trace import Span

from fairloop import telemetry
from fairloop.db import is_transient
from fairloop.events import produced_by
from fairloop.log.port import Log, LogUnavailableError, NewRecord, Producer, TopicPartition
from fairloop.outbox import CHANNEL
from fairloop.receipts import Position
from fairloop.tracing import Tracing, carried_on
from fairloop.waiting import Backoff, beside, rest, wait_for_event
from fairloop.web.health import Health
from fairloop.wire import pseq_of, to_record

log = structlog.get_logger()

_ROUND = 2000  # events a round; each partition's share is sent as one batch
_CLAIM_SECONDS = 2.0
_PROBE_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
"""A connection without an answer for so long is given up: the other side may be gone without a word."""
_NOTICE_DEATH = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""So that the server frees the locks of a relay whose machine is gone within half a minute, not two hours."""
_LOOK_BACK = 100

# Two statements in one call: the second sees what the first has waited for. A single statement would number from the
# snapshot taken before it waited, and give the same events out twice.
_ROUND_TRIP = """
CREATE FUNCTION pg_temp.relay_round(sent bigint[], topics text[], parts smallint[], most integer)
RETURNS SETOF outbox LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan  -- planning anew takes half of a short round
AS $$
BEGIN
    DELETE FROM outbox WHERE seq = ANY(sent);
    PERFORM FROM outbox_head JOIN unnest(topics, parts) AS held (topic, part) USING (topic, part)
    ORDER BY topic, part FOR UPDATE OF outbox_head;
    RETURN QUERY
    WITH held (topic, part) AS (SELECT * FROM unnest(topics, parts)),
    picked AS (
        SELECT seq, topic, part, row_number() OVER (PARTITION BY topic, part ORDER BY seq) AS place
        FROM (
            SELECT seq, topic, part FROM outbox JOIN held USING (topic, part)
            WHERE pseq IS NULL ORDER BY seq LIMIT most
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
    RETURNING outbox.*;
END $$
"""

_NUMBERED = """
SELECT outbox.* FROM outbox JOIN unnest($1::text[], $2::smallint[]) AS held (topic, part) USING (topic, part)
WHERE pseq IS NOT NULL ORDER BY topic, part, pseq LIMIT $3
"""


class Relay:
    """The relay of one service."""

    def __init__(
        self,
        *,
        service: str,
        database_url: str,
        event_log: Log,
        health: Health,
        tracing: Tracing | None = None,
    ) -> None:
        self.service = service
        self.database_url = database_url
        self.log = event_log
        self.health = health
        self.tracing = tracing
        self._backoff = Backoff(most=5.0)
        self.partitions = [
            TopicPartition(topic.name, part)
            for topic in produced_by(service)
            for part in range(topic.partitions)
        ]

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until told to stop; lives through an absent database and an absent log."""
        while not stopping.is_set():
            try:
                await self._hold(stopping)
            except LogUnavailableError as error:
                self.health.log_up = False
                log.warning("relay_waits_for_log", error=str(error))
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("relay_waits_for_database", error=type(error).__name__)
            await wait_for_event(stopping, self._backoff.next())

    async def _hold(self, stopping: asyncio.Event) -> None:
        """One life of the connection that holds the locks, and of one producer."""
        connection = await asyncpg.connect(
            self.database_url, timeout=5, command_timeout=_ANSWER_SECONDS, server_settings=_NOTICE_DEATH
        )
        try:
            await connection.execute(_ROUND_TRIP)
            wake = asyncio.Event()
            await connection.add_listener(CHANNEL, lambda *_: wake.set())
            producer = await self.log.producer()
            try:
                async with beside(self._probe()) as check_probe:
                    await self._relay(connection, producer, wake, check_probe, stopping)
            finally:
                await producer.close()
        finally:
            connection.terminate()

    async def _relay(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        producer: Producer,
        wake: asyncio.Event,
        check_probe: Callable[[], None],
        stopping: asyncio.Event,
    ) -> None:
        held: list[TopicPartition] = []
        sent: list[int] = []
        claim_at = 0.0
        while not stopping.is_set():
            now = time.monotonic()
            if len(held) < len(self.partitions) and now >= claim_at:
                claim_at = now + _CLAIM_SECONDS
                held += await self._claim(connection, producer, held)
            check_probe()
            wake.clear()
            rows = await _forget_and_number(connection, sent, held)
            sent = await self._send(producer, rows)
            if rows:
                self._backoff.reset()
                await wait_for_event(stopping, rest(len(rows), time.monotonic() - now) / 2)
            else:  # what was added since has set `wake` again
                await wait_for_event(wake, 1.0)
        await _forget_and_number(connection, sent, [])

    async def _probe(self) -> None:
        """Notice a log that is away while there is nothing to send."""
        while True:
            await self.log.bounds(self.partitions)
            self.health.log_up = True
            await asyncio.sleep(_PROBE_SECONDS)

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
        for partition in sound:
            telemetry.HALTED.labels(self.service, partition.topic, str(partition.partition)).set(0)
        while rows := await connection.fetch(_NUMBERED, *_columns(sound), _ROUND):
            await _forget_and_number(connection, await self._send(producer, rows), [])
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

    async def _send(self, producer: Producer, rows: Sequence[asyncpg.Record]) -> list[int]:
        """Append numbered rows, sorted by partition and number; returns their `seq` once all are durable."""
        if rows:
            spans = {} if self.tracing is None else self.tracing.sending(rows)
            await producer.append(self._batches(rows, spans))
            for span in spans.values():
                span.end()
            telemetry.RELAY_BATCH.labels(self.service).observe(len(rows))
            for topic, count in Counter(row["topic"] for row in rows).items():
                telemetry.RELAYED.labels(self.service, topic).inc(count)
        return [row["seq"] for row in rows]

    def _batches(
        self, rows: Sequence[asyncpg.Record], spans: Mapping[int, Span]
    ) -> dict[TopicPartition, list[NewRecord]]:
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
                    traceparent=carried_on(row, spans),
                )
                for row in group
            ]
            for partition, group in groupby(rows, key=lambda row: (row["topic"], row["part"]))
        }


async def _forget_and_number(
    connection: "asyncpg.Connection[asyncpg.Record]", sent: Sequence[int], held: Sequence[TopicPartition]
) -> list[asyncpg.Record]:
    """Delete what the log has, and give the oldest events of `held` their numbers, durably, before any is sent."""
    rows = await connection.fetch(
        "SELECT * FROM pg_temp.relay_round($1, $2, $3, $4)", sent, *_columns(held), _ROUND
    )
    return sorted(rows, key=lambda row: (row["topic"], row["part"], row["pseq"]))


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
