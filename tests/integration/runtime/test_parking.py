"""Events that cannot be applied are set aside, their key waits, nothing else does."""

from uuid import UUID

import pytest
from tests.integration.runtime.conftest import Pipeline, until
from tests.integration.runtime.test_effectively_once import unit

from fairloop import parking
from fairloop.db import sql
from fairloop.errors import NotFound
from fairloop.events import OrgUnit
from fairloop.log.port import NewRecord, TopicPartition
from fairloop.wire import Decoder


async def _parked(pipeline: Pipeline) -> list[parking.Parked]:
    async with pipeline.consumer_db.begin() as session:
        return await parking.list_parked(session)


async def _retry(pipeline: Pipeline, parked_id: UUID) -> int:
    async with pipeline.consumer_db.begin() as session:
        return await parking.retry_key(session, parked_id, pipeline.applying.handlers, Decoder({OrgUnit}))


@pytest.mark.fault(14)
async def test_a_rejected_event_waits_with_its_keys_later_ones_and_others_flow(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("reject", id="bad"), unit("b"))
        await pipeline.publish(unit("better", version=2, id="bad"), unit("c"))
        await pipeline.wait_applied(3)
        await pipeline.wait_parked(2)
    assert set(await pipeline.units()) == {"a", "b", "c"}
    first, second = await _parked(pipeline)
    assert (first.key, first.error_class) == ("org-unit:bad", "rejected")
    assert (second.key, second.error_class) == ("org-unit:bad", "blocked")
    assert await pipeline.scalar(pipeline.consumer_db, "SELECT hw_pseq FROM consumer_pos") == 5


@pytest.mark.fault(14)
async def test_retry_replays_a_key_in_log_order_once_it_can_be_applied(pipeline: Pipeline) -> None:
    pipeline.applying.bad_names = {"broken": RuntimeError("cannot")}
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("broken", id="k"))
        await pipeline.wait_parked(1)
        await pipeline.publish(unit("newer", version=2, id="k"))
        await pipeline.wait_parked(2)
    (first, _) = await _parked(pipeline)
    assert (first.error_class, first.attempts) == ("RuntimeError", 5)
    with pytest.raises(RuntimeError):
        await _retry(pipeline, first.id)
    assert len(await _parked(pipeline)) == 2
    pipeline.applying.bad_names = {}
    assert await _retry(pipeline, first.id) == 2
    assert await pipeline.units() == {"k": (2, "newer", 2)}
    assert await _parked(pipeline) == []
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("newest", version=3, id="k"))
        await pipeline.wait_applied(3)


async def test_discard_keeps_the_reason_and_lets_the_key_go_on_after_a_retry(pipeline: Pipeline) -> None:
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("reject", id="k"))
        await pipeline.wait_parked(1)
        await pipeline.publish(unit("fine", version=2, id="k"))
        await pipeline.wait_parked(2)
    first, second = await _parked(pipeline)
    async with pipeline.consumer_db.begin() as session:
        await parking.discard(session, first.id, "a test entry")
    assert await _retry(pipeline, second.id) == 1
    assert await pipeline.units() == {"k": (2, "fine", 1)}
    async with pipeline.consumer_db.begin() as session:
        (discarded,) = await parking.list_parked(session, state="discarded")
        assert discarded.reason == "a test entry"
        with pytest.raises(NotFound, match="not parked any more"):
            await parking.discard(session, first.id, "again")


async def test_undecodable_and_foreign_records_are_parked_at_once_and_shown_whole(pipeline: Pipeline) -> None:
    producer = await pipeline.log.producer()
    await producer.append({TopicPartition("directory.v1", 0): [NewRecord(b"who\x00knows", b"\xff\x00raw")]})
    await producer.close()
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"))
        await pipeline.wait_applied(1)
        await pipeline.wait_parked(1)
    (parked,) = await _parked(pipeline)
    assert parked.error_class == "undecodable"
    async with pipeline.consumer_db.begin() as session:
        _, record = await parking.show_parked(session, parked.id)
    assert (record.key, record.value) == (b"who\x00knows", b"\xff\x00raw")


async def test_a_release_that_rejects_everything_halts_and_skips_nothing(pipeline: Pipeline) -> None:
    await pipeline.publish(*(unit(f"reject{n}") for n in range(50)))
    async with pipeline.relaying(), pipeline.consuming():
        assert "10 events in a row" in await pipeline.wait_halted()
    assert await _parked(pipeline) == []
    assert (
        await pipeline.scalar(pipeline.consumer_db, "SELECT coalesce(max(hw_pseq), 0) FROM consumer_pos") == 0
    )


async def test_a_rolled_back_batch_leaves_nothing_behind(pipeline: Pipeline) -> None:
    pipeline.applying.bad_names = {"broken": RuntimeError("cannot")}
    await pipeline.publish(unit("a"), unit("broken"), unit("b"))
    async with pipeline.relaying(), pipeline.consuming() as consumer:

        async def retrying() -> bool:
            return any(lane.retrying for lane in consumer._lanes.values())

        await until(retrying)
        assert await pipeline.units() == {}
        async with pipeline.consumer_db.begin() as session:
            assert await sql(session, "SELECT 1 FROM receipt") == []
        pipeline.applying.bad_names = {}
        await pipeline.wait_applied(3)
