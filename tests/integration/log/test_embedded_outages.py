"""What only the embedded log has to care about: its connections, its server, its tables, its turns."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

import asyncpg
import pytest
from tests.integration.log.workers import WITHIN, append, fetch_all, numbered, subscribed

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.log.port import LogUnavailableError, NewRecord, Subscription, TopicPartition
from fairloop.log.postgres import PostgresLog
from fairloop.log.postgres_member import Member
from fairloop.testing import temporary_database

PARTITION = TopicPartition("topic", 0)


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with temporary_database(postgres) as db:
        yield db.url


@pytest.fixture
async def log(url: str) -> AsyncIterator[PostgresLog]:
    async with PostgresLog(url) as opened:
        await opened.create_topics({"topic": 3})
        yield opened


async def cut_connections(url: str, name: str) -> None:
    """End the server's side of the connections whose application name begins like this."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1"
        " AND datname = current_database()",
        f"fairloop log {name}%",
    )
    await connection.close()


async def errors_until_records(subscription: Subscription) -> list[str]:
    """Fetch until something comes; the errors on the way."""
    errors: list[str] = []
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                if await subscription.fetch(max_records=10, timeout=0.5):
                    return errors
            except LogUnavailableError as error:
                errors.append(str(error))


async def test_an_append_on_a_cut_connection_fails_and_another_producer_goes_on(
    url: str, log: PostgresLog
) -> None:
    producer = await log.producer()
    await cut_connections(url, "producer")

    with pytest.raises(LogUnavailableError):
        await producer.append({PARTITION: numbered(0, 1)})
    await producer.close()

    await append(log, {PARTITION: numbered(1, 1)})
    assert [record.value for record in await log.read(PARTITION, 0, max_records=10)] == [b"1"]


async def test_after_at_most_one_error_questions_have_a_new_connection(url: str, log: PostgresLog) -> None:
    await cut_connections(url, "admin")

    with suppress(LogUnavailableError):
        await log.bounds([PARTITION])

    assert await log.bounds([PARTITION]) == {PARTITION: (0, 0)}


async def test_a_worker_whose_membership_is_cut_is_told_so_and_joins_again(
    url: str, log: PostgresLog
) -> None:
    told: list[str] = []

    async def on_assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        told.append("assigned")
        return dict.fromkeys(partitions, 0)

    async def on_revoked(partitions: Sequence[TopicPartition]) -> None:
        told.append("revoked")

    subscription = await log.subscribe("group", ["topic"], on_assigned=on_assigned, on_revoked=on_revoked)
    await append(log, {PARTITION: numbered(0, 1)})
    await fetch_all(subscription, 1)

    await cut_connections(url, "member")
    await errors_until_records(subscription)

    assert told == ["assigned", "revoked", "assigned"]
    await subscription.close()


async def test_nothing_is_assigned_to_a_worker_that_leaves_while_it_takes_its_share(
    log: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, locked, go_on = Member.lock, asyncio.Event(), asyncio.Event()
    told: list[str] = []

    async def lock_and_wait(member: Member, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        found = await lock(member, partitions)
        locked.set()
        await go_on.wait()
        return found

    async def on_assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        told.append("assigned")
        return dict.fromkeys(partitions, 0)

    async def on_revoked(_: Sequence[TopicPartition]) -> None:
        told.append("revoked")

    monkeypatch.setattr(Member, "lock", lock_and_wait)
    leaving = await log.subscribe("group", ["topic"], on_assigned=on_assigned, on_revoked=on_revoked)
    await locked.wait()
    closing = asyncio.create_task(leaving.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    assert told == []
    async with subscribed(log, "group", "topic") as next_one:
        assert len(next_one.assignment()) == 3


async def test_a_fetch_on_a_cut_connection_fails_once_and_loses_nothing(url: str, log: PostgresLog) -> None:
    async with subscribed(log, "group", "topic") as subscription:
        await append(log, {PARTITION: numbered(0, 1)})
        await fetch_all(subscription, 1)

        await cut_connections(url, "reader")
        await append(log, {PARTITION: numbered(1, 1)})

        assert len(await errors_until_records(subscription)) <= 1
        assert await log.bounds([PARTITION]) == {PARTITION: (0, 2)}


async def test_a_crash_of_the_server_costs_nothing_that_was_acknowledged() -> None:
    with temporary_postgres() as server:
        await server.ensure_role_and_database("log", "secret")
        async with PostgresLog(server.url("log", role="log", password="secret")) as log:
            await log.create_topics({"topic": 3})
            async with subscribed(log, "group", "topic") as subscription:
                await append(log, {PARTITION: numbered(0, 1)})
                await fetch_all(subscription, 1)

                await asyncio.to_thread(server.stop, "immediate")
                with pytest.raises(LogUnavailableError):
                    await log.bounds([PARTITION])
                with pytest.raises(LogUnavailableError):
                    await log.producer()
                await asyncio.to_thread(server.start)

                assert await errors_until_records(subscription)
                await append(log, {PARTITION: numbered(1, 1)})
                await fetch_all(subscription, 1)


async def test_many_workers_may_make_the_tables_at_once(url: str) -> None:
    async def use() -> None:
        async with PostgresLog(url) as log:
            await log.create_topics({"topic": 3})
            await append(log, {PARTITION: numbered(0, 1)})

    await asyncio.gather(*(use() for _ in range(8)))

    async with PostgresLog(url) as log:
        assert await log.bounds([PARTITION]) == {PARTITION: (0, 8)}


async def test_tables_of_a_newer_version_are_refused(url: str, log: PostgresLog) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE fairloop_log.schema_version SET version = version + 1")
    await connection.close()

    with pytest.raises(RuntimeError, match="version 2"):
        async with PostgresLog(url):
            pass


async def test_a_long_backlog_in_one_partition_does_not_hold_up_the_others(log: PostgresLog) -> None:
    others = [TopicPartition("topic", 1), TopicPartition("topic", 2)]
    await append(log, {PARTITION: numbered(0, 200), **dict.fromkeys(others, numbered(0, 1))})

    async with subscribed(log, "group", "topic") as subscription:
        first = await subscription.fetch(max_records=10, timeout=5)
        second = await subscription.fetch(max_records=10, timeout=5)

    assert set(first) == {PARTITION}
    assert set(second) >= set(others)


async def test_a_fetch_of_large_records_ends_at_a_size_that_fits_in_memory(log: PostgresLog) -> None:
    large = bytes(900_000)
    await append(log, {PARTITION: [NewRecord(b"large", large)] * 50})

    async with subscribed(log, "group", "topic") as subscription:
        first = await subscription.fetch(max_records=500, timeout=5)
        rest = await fetch_all(subscription, 50 - len(first[PARTITION]))

    assert 30 <= len(first[PARTITION]) < 40
    assert rest == {PARTITION: [large] * (50 - len(first[PARTITION]))}
