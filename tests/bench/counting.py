"""Counts events per employee and day: `python -m tests.bench.counting WAY LOG_URL DATABASE_URL EVENTS GROUP [OTLP_URL]`.

WAY is `runtime` (the consumer: repeats recognised, receipts, state and position in one transaction), `memory` (the
same log, fetch and decoding, and a dict) or `lean` (in memory as well, and only the fields that are counted are
decoded, no headers). The clock runs from the first records fetched to everything counted (and, for the runtime,
committed). Prints the seconds. With OTLP_URL the runtime records what carries a trace, and sends it there.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, cast

import msgspec
from sqlalchemy import BigInteger, Date, SmallInteger, Text, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop import telemetry
from fairloop.consumer import Consumer
from fairloop.db import Database, sql
from fairloop.events import TOPICS, AttributionResult
from fairloop.lanes import MAX_BATCH
from fairloop.log import open_log
from fairloop.log.partitioner import partition_of
from fairloop.log.port import Log, Record, Subscription, TopicPartition
from fairloop.tables import add_runtime_tables
from fairloop.tracing import Tracing, traced
from fairloop.web.health import Health
from fairloop.wire import Decoder

TOPIC = TOPICS[AttributionResult.topic]
Counts = dict[tuple[str, date], int]


class Base(DeclarativeBase):
    """The tables of the consumer measured."""


class Answers(Base):
    """Answers about an employee on a day; the shard keeps partitions from waiting for each other's rows."""

    __tablename__ = "answers"

    employee: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)


add_runtime_tables(Base.metadata)

_ADD = """
INSERT INTO answers AS held (employee, day, shard, n)
SELECT employee, day, $3, n FROM unnest($1::text[], $2::date[], $4::bigint[]) AS new (employee, day, n)
ON CONFLICT (employee, day, shard) DO UPDATE SET n = held.n + excluded.n
"""


class NeededDay(msgspec.Struct, gc=False):
    day: date


class NeededEmployee(msgspec.Struct, gc=False):
    employee: str


class Needed(msgspec.Struct, gc=False):
    """As much of an attribution result as is counted."""

    response: NeededDay
    participants: tuple[NeededEmployee, ...]


Read = Callable[[Sequence[Record]], Sequence[AttributionResult | Needed]]

_decode = Decoder({AttributionResult})
_decode_needed = msgspec.json.Decoder(Needed).decode


def count(counts: Counts, results: Sequence[AttributionResult | Needed]) -> None:
    for result in results:
        day = result.response.day
        for participant in result.participants:
            key = (participant.employee, day)
            counts[key] = counts.get(key, 0) + 1


class Timed:
    """A log that remembers when its subscription handed out the first records."""

    def __init__(self, event_log: Log) -> None:
        self._log = event_log
        self.first_records_at: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def subscribe(self, *arguments: Any, **callbacks: Any) -> "TimedSubscription":
        return TimedSubscription(self, await self._log.subscribe(*arguments, **callbacks))


class TimedSubscription:
    def __init__(self, timed: Timed, subscription: Subscription) -> None:
        self._timed = timed
        self._subscription = subscription

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscription, name)

    async def fetch(self, *, max_records: int, timeout: float) -> Mapping[TopicPartition, Sequence[Record]]:
        batches = await self._subscription.fetch(max_records=max_records, timeout=timeout)
        if batches and self._timed.first_records_at is None:
            self._timed.first_records_at = time.perf_counter()
        return batches


class Counting:
    """The handler: one set-based statement a batch. `done` is set when all events are committed."""

    def __init__(self, events: int) -> None:
        self._missing = events
        self.done = asyncio.Event()

    async def __call__(self, session: AsyncSession, results: Sequence[AttributionResult]) -> None:
        counts: Counts = {}
        count(counts, results)
        employees, days = zip(*counts, strict=True)
        shard = partition_of(results[0].key.encode(), TOPIC.partitions)  # a batch is of one partition
        await sql(session, _ADD, list(employees), list(days), shard, list(counts.values()))
        event.listen(session.sync_session, "after_commit", lambda _: self._committed(len(results)), once=True)

    def _committed(self, count: int) -> None:
        self._missing -= count
        if self._missing == 0:
            self.done.set()


async def make_tables(database_url: str) -> None:
    """Empty ones."""
    db = Database(database_url)
    async with db.engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    await db.close()


async def with_runtime(
    timed: Timed, database_url: str, events: int, group: str, tracing: Tracing | None
) -> float:
    """When the last event was committed."""
    await make_tables(database_url)
    db = Database(database_url)
    handler = Counting(events)
    consumer = Consumer(
        service=group,
        db=db,
        event_log=timed,
        handlers={AttributionResult: handler},
        health=Health(),
        tracing=tracing,
    )
    running = asyncio.create_task(consumer.run(handler.done))
    await asyncio.wait(
        [running, asyncio.create_task(handler.done.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    ended = time.perf_counter()
    await running
    async with db.begin() as session:
        ((counted, positions),) = await sql(
            session, "SELECT (SELECT sum(n) FROM answers), (SELECT sum(hw_pseq) FROM consumer_pos)"
        )
    await db.close()
    assert (counted, positions) == (2 * events, events)
    return ended


def whole(records: Sequence[Record]) -> Sequence[AttributionResult]:
    events = [_decode(record).data for record in records]
    return cast(Sequence[AttributionResult], events)  # nothing else is on this log


def needed(records: Sequence[Record]) -> Sequence[Needed]:
    return [_decode_needed(record.value) for record in records]


async def in_memory(timed: Timed, read: Read, events: int, group: str) -> float:
    """When the last event was counted."""

    async def from_the_start(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def forget(partitions: Sequence[TopicPartition]) -> None:
        pass

    counts: Counts = {}
    missing = events
    subscription = await timed.subscribe(group, [TOPIC.name], on_assigned=from_the_start, on_revoked=forget)
    while missing:
        batches = await subscription.fetch(max_records=MAX_BATCH, timeout=0.5)
        for records in batches.values():
            count(counts, read(records))
            missing -= len(records)
    ended = time.perf_counter()
    await subscription.close()
    assert sum(counts.values()) == 2 * events
    return ended


async def main(
    way: str, log_url: str, database_url: str, events: int, group: str, otlp_url: str = ""
) -> None:
    telemetry.configure_logging("bench")
    async with open_log(log_url) as event_log, traced("bench", otlp_url) as tracing:
        timed = Timed(event_log)
        if way == "runtime":
            ended = await with_runtime(timed, database_url, events, group, tracing)
        else:
            ended = await in_memory(timed, whole if way == "memory" else needed, events, group)
    assert timed.first_records_at is not None
    print(ended - timed.first_records_at)


if __name__ == "__main__":
    way, log_url, database_url, events, *more = sys.argv[1:]
    asyncio.run(main(way, log_url, database_url, int(events), *more))
