"""Numbers and positions after a restore, on both logs: no number twice, no event skipped, everything ends newest."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tests.integration.runtime.conftest import TOPICS, Pipeline, emptied, until
from tests.integration.runtime.counting import PRODUCER, metadata
from tests.integration.runtime.test_effectively_once import unit
from tests.integration.runtime.test_rebuilding import DIRECTORY, consumer, runtime

from fairloop.cli.trimming import trim_log
from fairloop.db import sql
from fairloop.events import EventData, OrgUnit
from fairloop.ids import uuid7
from fairloop.poison import Reject
from fairloop.published import Published
from fairloop.rebuilding import republish
from fairloop.repair.findings import look
from fairloop.repair.passing import pass_breaker
from fairloop.repair.repairing import repair
from fairloop.service import Recovery, Runtime, Service, Taken, nothing_to_finish
from fairloop.settings import ServiceSettings
from fairloop.wire import to_record


class Owner:
    """The producer: it owns units and takes over what the log says of them."""

    def __init__(self, *units: OrgUnit) -> None:
        self.units: dict[str, OrgUnit] = {one.org_unit: one for one in units}
        self.seen = 0

    async def take(self, runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
        changed = 0
        self.seen += len(events)
        for one in events:
            if isinstance(one.event, OrgUnit):
                held = self.units.get(one.event.org_unit)
                if held is None or held.version < one.event.version:
                    self.units[one.event.org_unit] = one.event
                    changed += 1
        return Taken(changed)

    async def everything(self, runtime: Runtime, session: AsyncSession) -> AsyncIterator[EventData]:
        for held in self.units.values():
            yield held

    @property
    def service(self) -> Service:
        return Service(
            name=PRODUCER,
            package="attribution",
            settings=ServiceSettings,
            metadata=metadata,
            routes=[],
            recovery=Recovery(self.take, nothing_to_finish),
            republish=self.everything,
        )


async def sent(pipeline: Pipeline, *units: OrgUnit) -> None:
    """On the log, and gone from the outbox."""
    async with pipeline.relaying():
        await pipeline.publish(*units)

        async def drained() -> bool:
            return bool(await pipeline.scalar(pipeline.producer_db, "SELECT count(*) = 0 FROM outbox"))

        await until(drained)


async def versions(pipeline: Pipeline) -> dict[str, int]:
    return {id: held[0] for id, held in (await pipeline.units()).items()}


async def says(pipeline: Pipeline, service: Service) -> list[str]:
    db = pipeline.producer_db if service.name == PRODUCER else pipeline.consumer_db
    return [one.says for one in (await look(service, runtime(db), pipeline.log)).findings]


async def test_an_older_producer_takes_over_and_numbers_behind_the_log(pipeline: Pipeline) -> None:
    await sent(pipeline, unit("a"), unit("b"), unit("a", version=2))
    async with pipeline.consuming():
        await pipeline.wait_applied(3)
    async with (
        pipeline.producer_db.begin() as session
    ):  # as it was after the first event, the second not yet sent
        await sql(session, "UPDATE outbox_head SET next_pseq = 3 WHERE topic = 'directory.v1'")
    again = (await pipeline.log.read(DIRECTORY, 1, max_records=1))[0]
    await pipeline.publish(unit("b"), unit("c"))
    async with pipeline.producer_db.begin() as session:
        id = UUID(dict(again.headers)["ce_id"].decode())
        await sql(session, "UPDATE outbox SET pseq = 2, event_id = $1 WHERE key = 'org-unit:b'", id)

    owner = Owner(unit("a"), unit("b"), unit("c"))
    assert "it is older" in (await says(pipeline, owner.service))[0]
    done = await repair(owner.service, runtime(pipeline.producer_db), pipeline.log)
    assert (done.taken_over, done.restart) == (1, True)
    assert owner.units["a"].version == 2
    assert await says(pipeline, owner.service) == []
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.wait_applied(4)
    assert await versions(pipeline) == {"a": 2, "b": 1, "c": 1}
    assert pipeline.consumer_health.halted == pipeline.producer_health.halted == {}
    assert (await repair(owner.service, runtime(pipeline.producer_db), pipeline.log)).taken_over == 0


async def test_what_consumers_ignored_is_not_taken_over(pipeline: Pipeline) -> None:
    await sent(pipeline, unit("first", version=2, id="a"), unit("late", version=1, id="a"))
    await sent(pipeline, unit("other", version=2, id="a"))
    owner = Owner()
    await repair(owner.service, runtime(pipeline.producer_db), pipeline.log)
    assert owner.units == {"a": unit("first", version=2, id="a")}
    assert owner.seen == 1


async def test_a_consumer_goes_over_a_gap_and_ends_with_everything(pipeline: Pipeline) -> None:
    await sent(pipeline, unit("a"))
    async with pipeline.consuming():
        await pipeline.wait_applied(1)
    async with pipeline.producer_db.begin() as session:
        await sql(session, "UPDATE outbox_head SET next_pseq = 3 WHERE topic = 'directory.v1'")
    await sent(pipeline, unit("c"))
    reader = consumer(pipeline)
    assert "events are missing" in (await says(pipeline, reader))[0]
    done = await repair(reader, runtime(pipeline.consumer_db), pipeline.log)
    assert [(one.topic, one.partition) for one in done.jumped] == [DIRECTORY]
    owner = Owner(unit("a"), unit("b"), unit("c"))
    await republish(owner.service, runtime(pipeline.producer_db))
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.wait_applied(5)
    assert await versions(pipeline) == {"a": 1, "b": 1, "c": 1}


async def test_one_number_for_two_events_is_got_over(pipeline: Pipeline) -> None:
    await sent(pipeline, unit("a"), unit("b"))
    async with pipeline.consuming():
        await pipeline.wait_applied(2)
    (record,) = await pipeline.log.read(DIRECTORY, 0, max_records=1)
    forged = to_record(
        source="attribution",
        event_id=uuid7(),
        type=OrgUnit.type,
        key="org-unit:a",
        payload=record.value,
        pseq=2,
        time=record.timestamp,
    )
    producer = await pipeline.log.producer()
    await producer.append({DIRECTORY: [forged]})
    await producer.close()
    reader, owner = consumer(pipeline), Owner(unit("a"), unit("b", version=2))
    assert "back in time" in (await says(pipeline, reader))[0]
    await repair(owner.service, runtime(pipeline.producer_db), pipeline.log)
    assert (await repair(reader, runtime(pipeline.consumer_db), pipeline.log)).jumped
    await republish(owner.service, runtime(pipeline.producer_db))
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.wait_applied(4)
    assert await versions(pipeline) == {"a": 1, "b": 2}
    assert await says(pipeline, reader) == []


async def lose(pipeline: Pipeline, kafka_url: str | None) -> None:
    if kafka_url is not None:
        await emptied(kafka_url)
        await pipeline.log.create_topics(TOPICS)
        return
    async with pipeline.log_db.begin() as session:
        await sql(session, "UPDATE fairloop_log.head SET next_offset = 0")
        await sql(session, "DELETE FROM fairloop_log.record")


async def test_a_log_that_was_lost_is_filled_by_its_producer_and_read_from_its_beginning(
    pipeline: Pipeline, kafka_url: str | None
) -> None:
    await sent(pipeline, unit("a"), unit("b"))
    async with pipeline.consuming():
        await pipeline.wait_applied(2)
    await sent(pipeline, unit("b", version=2))  # only the log has it for the consumer
    await lose(pipeline, kafka_url)
    owner, reader = Owner(unit("a"), unit("b", version=2)), consumer(pipeline)
    assert "has lost some" in (await says(pipeline, owner.service))[0]
    async with pipeline.relaying():
        done = await repair(owner.service, runtime(pipeline.producer_db), pipeline.log)
    assert done.republished == 2
    assert (await repair(reader, runtime(pipeline.consumer_db), pipeline.log)).jumped
    assert await versions(pipeline) == {"a": 1, "b": 2}
    assert await says(pipeline, reader) == await says(pipeline, owner.service) == []
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("c"))
        await pipeline.wait_applied(5)
    assert pipeline.consumer_health.halted == {}


async def test_past_an_open_breaker_everything_that_fails_is_parked(pipeline: Pipeline) -> None:
    names = [f"bad-{n}" for n in range(12)]
    pipeline.applying.bad_names = {name: Reject("of a new release") for name in names}
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(*(unit(name) for name in names), unit("good"))
        assert "in a row failed" in await pipeline.wait_halted()
    done = await pass_breaker(
        consumer(pipeline), runtime(pipeline.consumer_db), pipeline.log, DIRECTORY, most=100
    )
    assert done is not None
    assert (done.parked, done.applied) == (12, 1)
    async with pipeline.consuming():
        await pipeline.wait_parked(12)
    assert await versions(pipeline) == {"good": 1}


async def test_the_log_is_never_cut_beyond_its_slowest_reader(
    pipeline: Pipeline, kafka_url: str | None
) -> None:
    await sent(pipeline, *(unit(f"u{n}") for n in range(6)))
    reads = [{"reads": [{"topic": "directory.v1", "partition": 0, "next_offset": at}]} for at in (5, 3)]
    url = pipeline.log_db.url if kafka_url is None else kafka_url
    assert await asyncio.to_thread(trim_log, url, reads, days=1) == []  # all of it is younger
    assert await asyncio.to_thread(trim_log, url, reads, days=0) == [("directory.v1", 0, 3)]
    assert (await pipeline.log.bounds([DIRECTORY]))[DIRECTORY] == (3, 6)
