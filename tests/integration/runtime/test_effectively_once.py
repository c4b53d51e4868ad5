"""From an outbox through the log into a consumer's state: once, in order, or halted."""

import asyncio

import pytest
from tests.integration.runtime.conftest import Pipeline, until

from fairloop import consumer
from fairloop.consumer import StuckError
from fairloop.db import sql
from fairloop.events import OrgUnit
from fairloop.ids import uuid7
from fairloop.log.port import NewRecord, TopicPartition
from fairloop.receipts import lock_position
from fairloop.wire import to_record

DIRECTORY = TopicPartition("directory.v1", 0)


def unit(name: str, version: int = 1, id: str | None = None) -> OrgUnit:
    return OrgUnit(version=version, org_unit=id or name, name=name)


async def test_every_event_is_applied_once_and_the_outbox_is_empty_afterwards(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        for start in range(0, 300, 100):
            await pipeline.publish(*(unit(f"u{n}") for n in range(start, start + 100)))
        await pipeline.wait_applied(300)
    assert await pipeline.scalar(pipeline.consumer_db, "SELECT max(applied) FROM unit") == 1
    assert await pipeline.scalar(pipeline.producer_db, "SELECT count(*) FROM outbox") == 0
    position = await pipeline.scalar(pipeline.consumer_db, "SELECT hw_pseq FROM consumer_pos")
    assert position == await pipeline.scalar(
        pipeline.producer_db, "SELECT next_pseq - 1 FROM outbox_head WHERE topic = 'directory.v1'"
    )


async def test_receipts_hold_every_id_in_order(pipeline: Pipeline) -> None:
    await pipeline.publish(*(unit(f"u{n}") for n in range(50)))
    async with pipeline.producer_db.begin() as session:
        sent = [row[0].bytes for row in await sql(session, "SELECT event_id FROM outbox ORDER BY seq")]
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.wait_applied(50)
    async with pipeline.consumer_db.begin() as session:
        rows = await sql(session, "SELECT event_ids FROM receipt ORDER BY first_pseq")
    assert b"".join(row[0] for row in rows) == b"".join(sent)


async def test_what_a_relay_sends_twice_is_applied_once(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("north"), unit("south"))
        await pipeline.wait_applied(2)
    records = await pipeline.log.read(DIRECTORY, 0, max_records=10)
    producer = await pipeline.log.producer()
    again = [NewRecord(record.key, record.value, record.headers) for record in records]
    await producer.append({DIRECTORY: again})
    await producer.close()
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("west"))
        await pipeline.wait_applied(3)
    assert {name: held[2] for name, held in (await pipeline.units()).items()} == {
        "north": 1,
        "south": 1,
        "west": 1,
    }


async def test_a_row_missing_from_the_outbox_halts_the_partition(pipeline: Pipeline) -> None:
    await pipeline.publish(unit("a"), unit("b"), unit("c"))
    async with pipeline.producer_db.begin() as session:
        await sql(session, "INSERT INTO outbox_head VALUES ('directory.v1', 0, 4)")
        await sql(session, "UPDATE outbox SET pseq = seq")
        await sql(session, "DELETE FROM outbox WHERE pseq = 2")
    async with pipeline.relaying(), pipeline.consuming():
        assert "number 2" in await pipeline.wait_halted()
    assert await pipeline.units() == {}


async def test_a_log_that_lost_its_beginning_halts_a_newcomer(pipeline: Pipeline) -> None:
    async with pipeline.relaying():
        await pipeline.publish(unit("a"), unit("b"))
        await until(lambda: _drained(pipeline))
    await pipeline.log.truncate({DIRECTORY: 1})
    async with pipeline.consuming():
        assert "bootstrap" in await pipeline.wait_halted()


async def test_a_log_that_was_rewound_halts(pipeline: Pipeline) -> None:
    async with pipeline.consumer_db.begin() as session:
        await sql(session, "INSERT INTO consumer_pos VALUES ('directory.v1', 0, 10, 10)")
    async with pipeline.consuming():
        assert "rewound" in await pipeline.wait_halted()


@pytest.mark.parametrize("kafka_url", [None])  # it reaches into the embedded log's tables
async def test_a_log_that_is_emptied_under_a_running_consumer_halts_it(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("b"))
        await pipeline.wait_applied(2)
        async with pipeline.log_db.begin() as session:
            await sql(session, "UPDATE fairloop_log.head SET next_offset = 0")
            await sql(session, "DELETE FROM fairloop_log.record")
        assert "rewound" in await pipeline.wait_halted()


async def test_a_restored_producer_database_halts_its_relay(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("b"))
        await pipeline.wait_applied(2)
    async with pipeline.producer_db.begin() as session:
        await sql(session, "UPDATE outbox_head SET next_pseq = 2 WHERE topic = 'directory.v1'")
    async with pipeline.relaying():
        await pipeline.publish(unit("x"))

        async def halted() -> bool:
            return "directory.v1/0" in pipeline.producer_health.halted

        await until(halted)
    assert await pipeline.scalar(pipeline.producer_db, "SELECT count(*) FROM outbox") == 1


async def test_one_number_for_two_events_halts_the_consumer(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("b"))
        await pipeline.wait_applied(2)
    (first, *_) = await pipeline.log.read(DIRECTORY, 0, max_records=1)
    forged = to_record(
        source="attribution",
        event_id=uuid7(),
        type=OrgUnit.type,
        key="org-unit:a",
        payload=first.value,
        pseq=2,
        time=first.timestamp,
    )
    producer = await pipeline.log.producer()
    await producer.append({DIRECTORY: [forged]})
    await producer.close()
    async with pipeline.consuming():
        assert "back in time" in await pipeline.wait_halted()


async def test_an_unknown_error_is_tried_again_and_then_heals_without_a_trace(pipeline: Pipeline) -> None:
    pipeline.applying.broken = RuntimeError("not yet")
    async with pipeline.relaying(), pipeline.consuming() as consuming:
        await pipeline.publish(unit("a"))

        async def retrying() -> bool:
            return any(lane.retrying for lane in consuming._lanes.values())

        await until(retrying)
        pipeline.applying.broken = None
        await pipeline.wait_applied(1)
    assert await pipeline.scalar(pipeline.consumer_db, "SELECT count(*) FROM parked_event") == 0


async def test_two_consumers_share_and_a_second_one_takes_over(pipeline: Pipeline) -> None:
    async with pipeline.relaying():
        async with pipeline.consuming():
            await pipeline.publish(unit("a"))
            await pipeline.wait_applied(1)
        async with pipeline.consuming(), pipeline.consuming():
            await asyncio.gather(*(pipeline.publish(unit(f"u{n}")) for n in range(20)))
            await pipeline.wait_applied(21)
    assert await pipeline.scalar(pipeline.consumer_db, "SELECT max(applied) FROM unit") == 1


async def test_a_consumer_that_hangs_ends_itself_and_the_next_one_goes_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "_STUCK_SECONDS", 1.0)
    monkeypatch.setattr(consumer, "_WATCH_SECONDS", 0.2)
    monkeypatch.setattr(consumer, "_REVOKE_PATIENCE", 0.2)
    async with pipeline.relaying():
        async with pipeline.consuming():
            await pipeline.publish(unit("a"))
            await pipeline.wait_applied(1)
        with pytest.RaisesGroup(pytest.RaisesExc(StuckError, match="1 records wait"), flatten_subgroups=True):
            async with pipeline.consumer_db.begin() as hanging, pipeline.consuming():
                await lock_position(hanging, DIRECTORY)
                await pipeline.publish(unit("b"))
                await asyncio.Event().wait()
        async with pipeline.consuming():
            await pipeline.wait_applied(2)
    assert await pipeline.scalar(pipeline.consumer_db, "SELECT max(applied) FROM unit") == 1


async def _drained(pipeline: Pipeline) -> bool:
    return await pipeline.scalar(pipeline.producer_db, "SELECT count(*) FROM outbox") == 0
