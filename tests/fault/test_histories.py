"""Histories that no longer agree: a row deleted by hand, a topic made anew, a database from yesterday."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tests.fault.checks import check_link, check_sums
from tests.fault.logs import LogUnderTest
from tests.fault.pair import Pair
from tests.fault.processes import until
from tests.fault.sales import PARTITIONS

from fairloop.db import Database
from fairloop.embedded import PostgresServer
from fairloop.ids import uuid7
from fairloop.log.partitioner import partition_of

pytestmark = pytest.mark.timeout(300)


async def positions(pair: Pair) -> list[tuple[Any, ...]]:
    return await pair.rows(
        pair.consumer_db, "SELECT part, next_offset, hw_pseq FROM consumer_pos ORDER BY part"
    )


async def empty_topics(pair: Pair, log: LogUnderTest) -> None:
    """Delete the test's topics and make them anew, empty."""
    if log.cluster is None:
        async with asyncpg_connection(log.url) as connection:
            await connection.execute("TRUNCATE fairloop_log.record")
            await connection.execute("UPDATE fairloop_log.head SET next_offset = 0, first_offset = 0")
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=log.cluster.url.removeprefix("kafka://"))
    await admin.start()
    try:  # one right after the other: what a broker says about topics in between may be old
        await admin.delete_topics(list(pair.plan.topics))
        await admin.create_topics(
            [
                NewTopic(name, count, 3, topic_configs={"min.insync.replicas": "2"})
                for name, count in pair.plan.topics.items()
            ]
        )
    finally:
        await admin.close()
    await pair.log.create_topics(pair.plan.topics)


@asynccontextmanager
async def asyncpg_connection(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def copied(postgres: PostgresServer) -> AsyncIterator[Callable[[Database], Any]]:
    """Makes a copy of a database that nobody is connected to, as a backup that is restored later."""
    made: list[Database] = []

    async def copy(db: Database) -> Database:
        await db.close()
        name = f"copy{uuid7().hex}"
        source = db.url.rpartition("/")[2]
        async with asyncpg_connection(postgres.admin_url()) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", source
            )
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        made.append(Database(postgres.admin_url(name)))
        return made[-1]

    yield copy
    for db in made:
        await db.close()
        async with asyncpg_connection(postgres.admin_url()) as connection:
            await connection.execute(f'DROP DATABASE "{db.url.rpartition("/")[2]}" WITH (FORCE)')


@pytest.mark.fault(10)
async def test_an_outbox_row_deleted_by_hand_halts_its_partition_at_the_gap_and_no_other(
    pair: Pair, log: LogUnderTest
) -> None:
    await pair.sell(worker=False)
    relay = await pair.sell(api=False, log_url=log.ways[0].url)
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()
    before = {part: hw for part, _, hw in await positions(pair)}

    log.ways[0].cut()
    await pair.traffic.send(pair.url, 30)
    await pair.numbered(30)
    await relay.kill()
    [(number,)] = await pair.rows(
        pair.producer_db,
        "DELETE FROM outbox WHERE part = 0 AND pseq = (SELECT min(pseq) + 1 FROM outbox WHERE part = 0) RETURNING pseq",
    )
    await pair.sell(api=False)

    [reason] = await pair.halted(consumer)
    assert f"number {number} before" in reason
    await pair.drained()
    [(in_other,)] = await pair.rows(
        pair.producer_db,
        "SELECT next_pseq - 1 FROM outbox_head WHERE topic = $1 AND part = 1",
        pair.plan.sales_topic,
    )

    async def other_went_on() -> bool:
        return {part: hw for part, _, hw in await positions(pair)}[1] == in_other

    await until(other_went_on, "the other partition goes on")
    assert before[0] <= {part: hw for part, _, hw in await positions(pair)}[0] < number
    state = await pair.ready(consumer)
    assert state is not None
    assert state["code"] == 503


@pytest.mark.fault(11)
async def test_a_topic_made_anew_and_still_short_halts_whoever_was_further(
    pair: Pair, log: LogUnderTest
) -> None:
    producer = await pair.sell()
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 40)
    await pair.settled()
    at = await positions(pair)
    await consumer.terminate()
    await producer.terminate()
    await empty_topics(pair, log)
    consumer = await pair.count()
    reasons = await pair.halted(consumer, 2)
    assert all("rewound" in reason for reason in reasons)
    assert await positions(pair) == at


@pytest.mark.fault(11)
async def test_a_topic_made_anew_that_has_grown_past_the_position_halts_at_the_gap(
    pair: Pair, log: LogUnderTest
) -> None:
    producer = await pair.sell()
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 20)
    await pair.settled()
    at = await positions(pair)
    await consumer.terminate()
    await producer.terminate()
    await empty_topics(pair, log)
    await pair.sell()
    await pair.traffic.send(pair.url, 100)
    await pair.drained()
    consumer = await pair.count()
    reasons = await pair.halted(consumer, 2)
    assert all("events are missing" in reason for reason in reasons)
    assert await positions(pair) == at


@pytest.mark.fault(11)
async def test_a_topic_truncated_beyond_what_was_read_halts(pair: Pair) -> None:
    await pair.sell()
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 20)
    await pair.settled()
    at = await positions(pair)
    await consumer.terminate()
    await pair.traffic.send(pair.url, 40)
    await pair.drained()
    bounds = await pair.log.bounds(pair.sales)
    await pair.log.truncate({partition: end - 1 for partition, (_, end) in bounds.items()})
    consumer = await pair.count()
    reasons = await pair.halted(consumer, 2)
    assert all("history is missing" in reason for reason in reasons)
    assert await positions(pair) == at


@pytest.mark.fault(12)
async def test_a_producer_restored_to_an_older_backup_halts_before_it_sends_anything(
    pair: Pair, copied: Callable[[Database], Any]
) -> None:
    producer = await pair.sell()
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()
    await producer.terminate()
    backup = await copied(pair.producer_db)
    producer = await pair.sell()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()
    await producer.terminate()
    at, sent = await positions(pair), await pair.records()

    producer = await pair.sell(database_url=backup.url)
    reasons = await pair.halted(producer, 2)
    assert all("went back in time" in reason for reason in reasons)
    await pair.traffic.send(pair.url, 20)
    [(waiting,)] = await pair.rows(backup, "SELECT count(*) FROM outbox WHERE pseq IS NULL")
    assert waiting == 20
    assert await pair.records() == sent
    assert await positions(pair) == at
    state = await pair.ready(consumer)
    assert state is not None
    assert state["halted"] == {}


def sales_in(part: int, prefix: str, count: int = 20) -> list[dict[str, object]]:
    """New sales of one partition."""
    names = (f"{prefix}{number}" for number in itertools.count())
    chosen = (name for name in names if partition_of(name.encode(), PARTITIONS) == part)
    return [
        {"sale": name, "version": 1, "shop": "north", "amount": 1} for name in itertools.islice(chosen, count)
    ]


@pytest.mark.fault(12)
async def test_a_restored_producer_whose_old_relay_wakes_halts_the_consumer_at_two_events_of_one_number(
    pair: Pair, log: LogUnderTest, copied: Callable[[Database], Any]
) -> None:
    """The log's tail cannot show the restored relay what the old one numbered and has not sent yet."""
    producer = await pair.sell()
    await pair.traffic.send(pair.url, 30)
    await pair.drained()
    await producer.terminate()
    backup = await copied(pair.producer_db)
    api = await pair.sell(worker=False)
    zombie = await pair.sell(api=False, log_url=log.ways[0].url)
    await pair.traffic.send(pair.url, sales=sales_in(0, "sent"))
    await pair.drained()
    log.ways[0].hold()
    await pair.traffic.send(pair.url, sales=sales_in(1, "late"))
    await pair.numbered(20)
    zombie.freeze()
    await api.terminate()

    restored = await pair.sell(database_url=backup.url)
    await pair.halted(restored)  # partition 0, where the log shows it
    consumer = await pair.count()
    await pair.traffic.send(pair.url, sales=sales_in(1, "anew"))
    await pair.applied(30 + 20 + 20)
    at = await positions(pair)
    log.ways[0].heal()
    zombie.thaw()

    [reason] = await pair.halted(consumer)
    assert "stands for two events" in reason
    assert [(part, hw) for part, _, hw in await positions(pair)] == [(part, hw) for part, _, hw in at]

    # a consumer that starts over meets both in one batch
    await consumer.kill()
    await pair.rows(pair.consumer_db, "TRUNCATE consumer_pos, receipt, applied, held, bucket")
    consumer = await pair.count(group=f"{pair.plan.group}-anew")
    [reason] = await pair.halted(consumer)
    assert "stands for two events" in reason


@pytest.mark.fault(12)
async def test_a_consumer_restored_to_an_older_backup_takes_everything_since_once_more(
    pair: Pair, copied: Callable[[Database], Any]
) -> None:
    """What the log remembers of the group's offsets is further: it must not count. What the consumer publishes in
    turn halts, as it is a producer that went back in time."""
    await pair.sell()
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()
    await consumer.terminate()
    backup = await copied(pair.consumer_db)
    consumer = await pair.count()
    await pair.traffic.send(pair.url, 60)
    await pair.settled()
    await consumer.terminate()

    consumer = await pair.count(database_url=backup.url)
    await pair.consumer_db.close()
    pair.consumer_db = backup
    await pair.traffic.send(pair.url, 30)
    await pair.applied()
    reasons = await pair.halted(consumer, 2)
    assert all("went back in time" in reason for reason in reasons)

    async def at_the_end() -> bool:
        ends = [end for _, (_, end) in sorted((await pair.log.bounds(pair.sales)).items())]
        return [offset for _, offset, _ in await positions(pair)] == ends

    await until(at_the_end, "the position is at the log's end")
    assert await check_link(pair.producer_db, backup, pair.log, pair.sales) == 120
    await check_sums(backup, pair.traffic.fold())
