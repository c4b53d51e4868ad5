"""A consumer that has lost its history gets everything again."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from tests.integration.runtime.conftest import Pipeline, until
from tests.integration.runtime.counting import CONSUMER, PRODUCER, metadata
from tests.integration.runtime.test_effectively_once import unit

from fairloop.clock import Clock
from fairloop.db import Database, sql
from fairloop.events import EventData, OrgUnit
from fairloop.log.port import TopicPartition
from fairloop.peers import peer_client
from fairloop.rebuilding import bootstrap, republish
from fairloop.service import Handlers, Runtime, Service
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT

DIRECTORY = TopicPartition("directory.v1", 0)
HELD = [unit("north", version=3), unit("south", version=1), unit("west", version=7)]


async def everything(runtime: Runtime, session: AsyncSession) -> AsyncIterator[EventData]:
    for held in HELD:
        yield held


def producer() -> Service:
    return Service(
        name=PRODUCER,
        package="attribution",
        settings=ServiceSettings,
        metadata=metadata,
        routes=[],
        republish=everything,
    )


def consumer(pipeline: Pipeline) -> Service:
    def handlers(settings: Any, clock: Clock) -> Handlers:
        return pipeline.applying.handlers

    return Service(
        name=CONSUMER,
        package="counting",
        settings=ServiceSettings,
        metadata=metadata,
        routes=[],
        handlers=handlers,
    )


def runtime(db: Database, more: Mapping[str, Any] = ENVIRONMENT) -> Runtime:
    settings = ServiceSettings.model_validate(more)
    return Runtime(settings=settings, db=db, peers=peer_client(settings))


async def test_after_bootstrap_and_republish_a_newcomer_holds_everything_in_its_version(
    pipeline: Pipeline,
) -> None:
    async with pipeline.relaying():
        await pipeline.publish(*(unit(held.org_unit, version=1) for held in HELD), *HELD)

        async def drained() -> bool:
            return bool(await pipeline.scalar(pipeline.producer_db, "SELECT count(*) = 0 FROM outbox"))

        await until(drained)
    await pipeline.log.truncate({DIRECTORY: 5})
    async with pipeline.consuming():
        assert "bootstrap" in await pipeline.wait_halted()
    positions = await bootstrap(consumer(pipeline), runtime(pipeline.consumer_db), pipeline.log)
    assert (positions[DIRECTORY].next_offset, positions[DIRECTORY].hw_pseq) == (6, 6)
    assert await republish(producer(), runtime(pipeline.producer_db)) == 3
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.wait_applied(3)
    assert {name: held[0] for name, held in (await pipeline.units()).items()} == {
        "north": 3,
        "south": 1,
        "west": 7,
    }
    assert pipeline.consumer_health.halted == {}


async def test_republishing_to_a_consumer_that_holds_everything_halts_nothing(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(*HELD)
        await pipeline.wait_applied(3)
        await republish(producer(), runtime(pipeline.producer_db))
        await pipeline.wait_applied(6)
    assert pipeline.consumer_health.halted == {}
    async with pipeline.consumer_db.begin() as session:
        rows = await sql(session, "SELECT hw_pseq FROM consumer_pos")
    assert rows[0][0] == 6


async def test_an_empty_log_bootstraps_to_its_beginning(pipeline: Pipeline) -> None:
    positions = await bootstrap(consumer(pipeline), runtime(pipeline.consumer_db), pipeline.log)
    assert positions[DIRECTORY].next_offset == 0
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(OrgUnit(version=1, org_unit="first", name="First"))
        await pipeline.wait_applied(1)
