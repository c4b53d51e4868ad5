"""A producer's and a consumer's database, and a fresh log, on both kinds of log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from tests.integration.runtime.counting import CONSUMER, PRODUCER, Applying, metadata

from fairloop.consumer import Consumer
from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.events import OrgUnit
from fairloop.log import open_log
from fairloop.log.port import Log
from fairloop.outbox import publish
from fairloop.relay import Relay
from fairloop.testing import temporary_database
from fairloop.tracing import Tracing
from fairloop.web.health import Health


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 40.0) -> None:
    """Wait for a condition; fails the test when it does not come true."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


@dataclass
class Pipeline:
    """One producer, one consumer, one log. Relay and consumer run while their context is open."""

    producer_db: Database
    consumer_db: Database
    log: Log
    log_db: Database  # what holds the embedded log
    applying: Applying = field(default_factory=Applying)
    producer_health: Health = field(default_factory=Health)
    consumer_health: Health = field(default_factory=Health)
    tracing: Tracing | None = None

    async def publish(self, *units: OrgUnit) -> None:
        async with self.producer_db.begin() as session:
            await publish(session, units)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        relay = Relay(
            service=PRODUCER,
            database_url=self.producer_db.url,
            event_log=self.log,
            health=self.producer_health,
            tracing=self.tracing,
        )
        async with _running(relay.run):
            yield relay

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[Consumer]:
        consumer = Consumer(
            service=CONSUMER,
            db=self.consumer_db,
            event_log=self.log,
            handlers=self.applying.handlers,
            health=self.consumer_health,
            tracing=self.tracing,
        )
        async with _running(consumer.run):
            yield consumer

    async def units(self) -> dict[str, tuple[int, str, int]]:
        async with self.consumer_db.begin() as session:
            rows = await sql(session, "SELECT id, version, name, applied FROM unit ORDER BY id")
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    async def scalar(self, db: Database, statement: str, *arguments: Any) -> Any:
        async with db.begin() as session:
            return (await sql(session, statement, *arguments))[0][0]

    async def wait_applied(self, count: int) -> None:
        async def applied() -> bool:
            return await self.scalar(self.consumer_db, "SELECT coalesce(sum(applied), 0) FROM unit") >= count

        await until(applied)

    async def wait_halted(self) -> str:
        async def halted() -> bool:
            return bool(self.consumer_health.halted)

        await until(halted)
        return self.consumer_health.halted["directory.v1/0"]

    async def wait_parked(self, count: int) -> None:
        async def parked() -> bool:
            return await self.scalar(self.consumer_db, "SELECT count(*) FROM parked_event") >= count

        await until(parked)


@asynccontextmanager
async def _running(loop: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    stopping = asyncio.Event()

    async def run() -> None:
        await loop(stopping)

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        try:
            yield
        finally:
            stopping.set()


# the relay looks after every topic of its service
TOPICS = {"directory.v1": 1, "attribution.interaction.v1": 4, "attribution.result.v1": 4}


async def emptied(url: str) -> str:
    """A Kafka whose topics are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"))
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic in TOPICS])

        async def gone() -> bool:
            return not TOPICS.keys() & set(await admin.list_topics())

        await until(gone)
    finally:
        await admin.close()
    return url


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka_url(request: pytest.FixtureRequest) -> str | None:
    """Every test that runs the pipeline runs on both logs."""
    return None if request.param == "embedded" else str(request.getfixturevalue("kafka"))


@pytest.fixture
async def pipeline(kafka_url: str | None, postgres: PostgresServer) -> AsyncIterator[Pipeline]:
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(temporary_database(postgres)) for _ in range(3)]
        for db in databases[:2]:
            async with db.engine.begin() as connection:
                await connection.run_sync(metadata.create_all)
        url = databases[2].url if kafka_url is None else await emptied(kafka_url)
        event_log = await stack.enter_async_context(open_log(url))
        await event_log.create_topics(TOPICS)
        yield Pipeline(databases[0], databases[1], event_log, databases[2])
