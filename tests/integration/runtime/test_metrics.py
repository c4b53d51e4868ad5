"""Every gauge shows trouble while there is some, and 0 again afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from tests.integration.runtime.conftest import Pipeline, until
from tests.integration.runtime.counting import CONSUMER, PRODUCER
from tests.integration.runtime.gauges import half, value
from tests.integration.runtime.test_effectively_once import unit

from attribution.main import service as attribution
from fairloop import parking
from fairloop.db import Database, sql
from fairloop.embedded import temporary_postgres
from fairloop.events import EventData, OrgUnit
from fairloop.measuring import Measuring, watch_readiness
from fairloop.migrate import upgrade
from fairloop.poison import Reject
from fairloop.rebuilding import republish
from fairloop.web.health import Health
from fairloop.wire import Decoder

HERE = {"service": CONSUMER, "topic": "directory.v1", "partition": "0"}
OUT = {"service": PRODUCER, "topic": "directory.v1"}


@pytest.fixture
def kafka_url() -> None:
    """The embedded log is enough: both logs tell their bounds by the same port."""


async def shows(metric: str, wanted: float, **labels: str) -> None:
    """Wait until a metric has a value."""

    async def is_so() -> bool:
        return value(metric, **labels) == wanted

    await until(is_so)


async def test_lag_and_the_age_of_the_oldest_record_rise_while_nothing_can_be_applied(
    pipeline: Pipeline,
) -> None:
    pipeline.applying.broken = ConnectionError("the database of somebody else")
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("b"), unit("c"))
        await shows("fairloop_consumer_lag", 3, **HERE)
        assert (value("fairloop_consumer_oldest_age_seconds", **HERE) or 0) > 0
        pipeline.applying.broken = None
        await shows("fairloop_consumer_lag", 0, **HERE)
        assert value("fairloop_consumer_oldest_age_seconds", **HERE) == 0


async def test_an_open_breaker_is_shown_until_a_mended_release_goes_on(pipeline: Pipeline) -> None:
    names = [f"u{number}" for number in range(10)]
    pipeline.applying.bad_names = {name: Reject("all is bad") for name in names}
    async with pipeline.relaying():
        async with pipeline.consuming():
            await pipeline.publish(*(unit(name) for name in names))
            await pipeline.wait_halted()
            assert value("fairloop_breaker_open", **HERE) == 1
            assert value("fairloop_partition_halted", **HERE) == 1
            await shows("fairloop_consumer_lag", 10, **HERE)
            assert (value("fairloop_consumer_oldest_age_seconds", **HERE) or 0) > 0
        pipeline.applying.bad_names = {}
        async with pipeline.consuming():
            await pipeline.wait_applied(10)
            assert value("fairloop_breaker_open", **HERE) == 0
            assert value("fairloop_partition_halted", **HERE) == 0


async def test_a_halt_that_is_no_breaker_is_shown_until_it_is_repaired(pipeline: Pipeline) -> None:
    async with pipeline.relaying():
        async with pipeline.consuming():
            await pipeline.publish(unit("a"))
            await pipeline.wait_applied(1)
        async with pipeline.consumer_db.begin() as session:
            await sql(session, "UPDATE consumer_pos SET hw_pseq = 0")
        async with pipeline.consuming():
            await pipeline.publish(unit("b"))
            await pipeline.wait_halted()
            assert value("fairloop_partition_halted", **HERE) == 1
            assert value("fairloop_breaker_open", **HERE) == 0
        async with pipeline.consumer_db.begin() as session:
            await sql(session, "UPDATE consumer_pos SET hw_pseq = 1")
        async with pipeline.consuming():
            await pipeline.wait_applied(2)
            assert value("fairloop_partition_halted", **HERE) == 0


async def test_a_relay_that_went_back_in_time_is_shown_until_its_head_is_put_right(
    pipeline: Pipeline,
) -> None:
    labels = {**HERE, "service": PRODUCER}
    async with pipeline.relaying():
        await pipeline.publish(unit("a"), unit("b"))
        await shows("fairloop_partition_halted", 0, **labels)
        await until(lambda: _nothing_waits(pipeline))
    async with pipeline.producer_db.begin() as session:
        await sql(session, "UPDATE outbox_head SET next_pseq = 1")
    async with pipeline.relaying():
        await shows("fairloop_partition_halted", 1, **labels)
    async with pipeline.producer_db.begin() as session:
        await sql(session, "UPDATE outbox_head SET next_pseq = 3 WHERE topic = 'directory.v1'")
    pipeline.producer_health.halted.clear()  # as in a new process
    async with pipeline.relaying():
        await shows("fairloop_partition_halted", 0, **labels)


async def test_a_parked_key_is_shown_until_it_is_replayed(pipeline: Pipeline) -> None:
    labels = {"service": CONSUMER, "topic": "directory.v1"}
    measuring = Measuring(*half(CONSUMER, pipeline.consumer_db, pipeline.applying.handlers))
    pipeline.applying.bad_names = {"bad": Reject("not like this")}
    before = value("fairloop_events_total", **labels, outcome="parked") or 0
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("bad", id="k"), unit("fine", id="other"))
        await pipeline.publish(unit("fine", version=2, id="k"))
        await pipeline.wait_parked(2)
        await measuring.measure()
        assert value("fairloop_parked_keys", **labels) == 1
        await shows("fairloop_events_total", before + 2, **labels, outcome="parked")
    pipeline.applying.bad_names = {}
    async with pipeline.consumer_db.begin() as session:
        ((parked_id,), _) = await sql(session, "SELECT id FROM parked_event ORDER BY pseq")
        await parking.retry_key(session, UUID(str(parked_id)), pipeline.applying.handlers, Decoder({OrgUnit}))
    await measuring.measure()
    assert value("fairloop_parked_keys", **labels) == 0


async def test_the_outbox_is_shown_by_topic_until_the_relay_has_carried_it(pipeline: Pipeline) -> None:
    measuring = Measuring(*half(PRODUCER, pipeline.producer_db, {}))
    carried = value("fairloop_relayed_total", **OUT) or 0
    rounds = value("fairloop_relay_batch_events_sum", service=PRODUCER) or 0
    await pipeline.publish(unit("a"), unit("b"))
    await measuring.measure()
    assert value("fairloop_outbox_depth", **OUT) == 2
    assert (value("fairloop_outbox_age_seconds", **OUT) or 0) > 0
    assert value("fairloop_outbox_depth", **{**OUT, "topic": "attribution.result.v1"}) == 0
    async with pipeline.relaying():
        await shows("fairloop_relayed_total", carried + 2, **OUT)
    await measuring.measure()
    assert value("fairloop_outbox_depth", **OUT) == 0
    assert value("fairloop_outbox_age_seconds", **OUT) == 0
    assert value("fairloop_relay_batch_events_sum", service=PRODUCER) == rounds + 2
    assert (value("fairloop_database_bytes", service=PRODUCER) or 0) > 1_000_000
    assert (value("fairloop_measured_timestamp_seconds", service=PRODUCER) or 0) > 1_700_000_000


async def test_batches_are_counted_with_their_sizes_and_times(pipeline: Pipeline) -> None:
    labels = {"service": CONSUMER, "topic": "directory.v1"}
    sizes = value("fairloop_batch_events_sum", **labels) or 0
    times = value("fairloop_batch_seconds_count", **labels) or 0
    applied = value("fairloop_events_total", **labels, outcome="applied") or 0
    async with pipeline.relaying(), pipeline.consuming():
        await pipeline.publish(unit("a"), unit("b"), unit("c"))
        await shows("fairloop_events_total", applied + 3, **labels, outcome="applied")
    assert value("fairloop_batch_events_sum", **labels) == sizes + 3
    assert (value("fairloop_batch_seconds_count", **labels) or 0) > times


async def test_what_was_republished_by_a_command_is_told_by_the_worker(pipeline: Pipeline) -> None:
    async def everything(runtime: object, session: object) -> AsyncIterator[EventData]:
        for number in range(3):
            yield unit(f"u{number}")

    service, runtime = half(PRODUCER, pipeline.producer_db, {})
    service = replace(service, republish=everything)
    measuring = Measuring(service, runtime)
    before = value("fairloop_job_rows_total", service=PRODUCER, task="republish") or 0

    assert await republish(service, runtime) == 3
    await measuring.measure()
    await measuring.measure()
    assert value("fairloop_job_rows_total", service=PRODUCER, task="republish") == before + 3
    told = value("fairloop_job_last_success_timestamp_seconds", service=PRODUCER, task="republish") or 0
    assert told > 1_700_000_000


async def test_readiness_and_the_database_are_shown_as_they_go_and_come_back() -> None:
    name = attribution.name
    with temporary_postgres() as server:
        db = Database(server.admin_url())
        await upgrade(attribution, db)
        _, runtime = half(name, db, {})
        watching = asyncio.create_task(watch_readiness(attribution, runtime, Health(), worker_only=True))
        await shows("fairloop_ready", 1, service=name)
        assert value("fairloop_database_up", service=name) == 1
        await asyncio.to_thread(server.stop, "immediate")
        await shows("fairloop_database_up", 0, service=name)
        assert value("fairloop_ready", service=name) == 0
        await asyncio.to_thread(server.start)
        await shows("fairloop_database_up", 1, service=name)
        runtime.stopping.set()
        await watching
        await db.close()


async def test_a_log_that_does_not_answer_is_shown() -> None:
    with temporary_postgres() as server:
        db = Database(server.admin_url())
        await upgrade(attribution, db)
        _, runtime = half(attribution.name, db, {})
        health = Health(log_up=False)
        watching = asyncio.create_task(watch_readiness(attribution, runtime, health, worker_only=True))
        await shows("fairloop_log_up", 0, service=attribution.name)
        assert value("fairloop_ready", service=attribution.name) == 0
        health.log_up = True
        await shows("fairloop_log_up", 1, service=attribution.name)
        runtime.stopping.set()
        await watching
        await db.close()


async def _nothing_waits(pipeline: Pipeline) -> bool:
    return bool(await pipeline.scalar(pipeline.producer_db, "SELECT count(*) = 0 FROM outbox"))
