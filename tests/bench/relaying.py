"""Events carried from the outbox to Kafka in a second: the relay against one transaction and one send an event."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import asyncpg
import msgspec
from sqlalchemy import MetaData
from tests.bench.grounds import new_database
from tests.bench.results import TOPIC, result_of
from tests.bench.rounds import Comparison, Effort, at_least, in_turns

from fairloop.db import Database
from fairloop.embedded import PostgresServer
from fairloop.events import produced_by
from fairloop.log import open_log
from fairloop.log.port import Log, Producer, TopicPartition
from fairloop.outbox import CHANNEL
from fairloop.relay import Relay
from fairloop.tables import add_runtime_tables
from fairloop.web.health import Health
from fairloop.wire import to_record

ONE_BY_ONE = 20
"""The slow way gets a twentieth of the events."""
COLUMNS = ("event_id", "topic", "part", "key", "type", "payload")

Carry = Callable[[], Awaitable[None]]
"""Carries until the outbox is empty."""
Ready = AbstractAsyncContextManager[Carry]


async def compare_relaying(log_url: str, postgres: PostgresServer, effort: Effort) -> list[Comparison]:
    """Both number the same partitions from the same table of heads."""
    database_url = await new_database(postgres, "relaying")
    await _make_tables(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        async with open_log(log_url) as event_log:
            await event_log.create_topics(
                {topic.name: topic.partitions for topic in produced_by("attribution")}
            )
            relayed = _measure(
                connection, effort.relayed, lambda: _relaying(connection, database_url, event_log)
            )
            singly = _measure(
                connection, effort.relayed // ONE_BY_ONE, lambda: _singly(connection, event_log)
            )
            rates = await in_turns(effort.rounds, {"relay": relayed, "singly": singly})
    finally:
        await connection.close()
    return [
        Comparison(5, "events relayed, vs. one by one", rates["relay"], "/s", rates["singly"], at_least(20))
    ]


async def _make_tables(database_url: str) -> None:
    metadata = MetaData()
    add_runtime_tables(metadata)
    db = Database(database_url)
    async with db.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await db.close()


def _measure(
    connection: "asyncpg.Connection[asyncpg.Record]", events: int, ready: Callable[[], Ready]
) -> Callable[[int], Awaitable[float]]:
    async def rate(number: int) -> float:
        payload = msgspec.json.encode(result_of(Random(number)))
        async with ready() as carry:
            await _fill(connection, payload, events)
            started = time.perf_counter()
            await carry()
            return events / (time.perf_counter() - started)

    return rate


async def _fill(connection: "asyncpg.Connection[asyncpg.Record]", payload: bytes, events: int) -> None:
    rows = [
        (uuid4(), TOPIC.name, place % TOPIC.partitions, str(place), "AttributionResult", payload)
        for place in range(events)
    ]
    await connection.copy_records_to_table("outbox", records=rows, columns=COLUMNS)
    await connection.execute("ANALYZE outbox")


@asynccontextmanager
async def _relaying(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str, event_log: Log
) -> AsyncIterator[Carry]:
    """The real one, which leads every partition and has carried an event of each already."""
    stopping = asyncio.Event()
    relay = Relay(service="attribution", database_url=database_url, event_log=event_log, health=Health())
    running = asyncio.create_task(relay.run(stopping))

    async def empty() -> None:
        await connection.execute(f"NOTIFY {CHANNEL}")
        while await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
            if running.done():
                break
            await asyncio.sleep(0.01)

    try:
        await _fill(connection, b"{}", TOPIC.partitions)
        await empty()
        yield empty
    finally:
        stopping.set()
        await running


@asynccontextmanager
async def _singly(connection: "asyncpg.Connection[asyncpg.Record]", event_log: Log) -> AsyncIterator[Carry]:
    producer = await event_log.producer()
    yield lambda: _one_by_one(connection, producer)
    await producer.close()


async def _one_by_one(connection: "asyncpg.Connection[asyncpg.Record]", producer: Producer) -> None:
    """Number and send the oldest event, wait for its acknowledgement, forget it; and so on."""
    while True:
        async with connection.transaction():
            row = await connection.fetchrow("SELECT * FROM outbox ORDER BY seq LIMIT 1 FOR UPDATE")
            if row is None:
                break
            pseq = await connection.fetchval(
                "INSERT INTO outbox_head AS head (topic, part, next_pseq) VALUES ($1, $2, 2)"
                " ON CONFLICT (topic, part) DO UPDATE SET next_pseq = head.next_pseq + 1"
                " RETURNING next_pseq - 1",
                row["topic"],
                row["part"],
            )
            record = to_record(
                source="attribution",
                event_id=row["event_id"],
                type=row["type"],
                key=row["key"],
                payload=row["payload"],
                pseq=pseq,
                time=datetime.now(UTC),
            )
            await producer.append({TopicPartition(row["topic"], row["part"]): [record]})
            await connection.execute("DELETE FROM outbox WHERE seq = $1", row["seq"])
