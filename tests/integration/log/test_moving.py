"""An embedded log carried over to another one: nothing is lost, nothing comes twice, no offset changes."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.integration.log.workers import append, numbered

from fairloop.embedded import PostgresServer
from fairloop.log import open_log
from fairloop.log.moving import UnlikeError, carry_over, check_alike, partitions_of
from fairloop.log.port import Log, LogMovedError, LogUnavailableError, NewRecord, Record, TopicPartition
from fairloop.log.postgres import PostgresLog
from fairloop.log.postgres_closing import LogInUseError, frozen
from fairloop.testing import temporary_database


@pytest.fixture
async def source_url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with temporary_database(postgres) as db:
        yield db.url


@pytest.fixture
async def topics(source_url: str) -> dict[str, int]:
    """Two topics of the source: 2,500 records in one partition, a shortened one, an emptied one, one without any."""
    names = sorted(f"moving-{uuid4().hex[:12]}" for _ in range(2))
    topics = {names[0]: 3, names[1]: 1}
    whole, shortened, emptied = (TopicPartition(names[0], part) for part in range(3))
    long_ago = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    async with open_log(source_url) as source:
        await source.create_topics(topics)
        record = NewRecord(b"\0key", b"value", (("ce_id", b"1"), ("same", b"2"), ("same", b"3")), long_ago)
        await append(source, {whole: [record, *numbered(1, 2499)]})
        await append(source, {shortened: numbered(0, 400), emptied: numbered(0, 20)})
        await source.truncate({shortened: 350, emptied: 20})
    return topics


async def everything(log: Log, topics: dict[str, int]) -> dict[TopicPartition, tuple[object, list[object]]]:
    """What a log has, as another log could have it too."""
    bounds = await log.bounds(partitions_of(topics))
    return {
        partition: (bounds[partition], [_content(r) for r in await log.read(partition, 0, max_records=9999)])
        for partition in bounds
    }


def _content(record: Record) -> tuple[object, ...]:
    second = record.timestamp.replace(microsecond=0)
    milliseconds = (record.timestamp - second) // timedelta(milliseconds=1)
    return record.offset, record.key, record.value, record.headers, second, milliseconds


async def test_the_copy_has_the_same_records_at_the_same_offsets(
    source_url: str, log: Log, topics: dict[str, int]
) -> None:
    async with open_log(source_url) as source:
        await carry_over(source, log, topics)

        counts = await check_alike(source, log, topics)
        assert sorted(counts.values()) == [0, 2550]
        assert await everything(log, topics) == await everything(source, topics)


async def test_a_copy_that_is_killed_is_continued(
    source_url: str, log_url: str, topics: dict[str, int]
) -> None:
    """In the middle of a partition, and between deleting the empty records and the first real one."""
    for reads in ("2", "3"):
        killed = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.log.dying_copy", source_url, log_url, reads)
        )
        assert await killed.wait() == -signal.SIGKILL
    async with open_log(source_url) as source, open_log(log_url) as target:
        held = await target.bounds(partitions_of(topics))
        assert 0 < sum(end - first for first, end in held.values()) < 2550

        await carry_over(source, target, topics)

        await check_alike(source, target, topics)
        assert await everything(target, topics) == await everything(source, topics)


async def test_what_was_appended_after_a_try_is_carried_over_too(
    source_url: str, log: Log, topics: dict[str, int]
) -> None:
    partition = TopicPartition(next(iter(topics)), 0)
    async with open_log(source_url) as source:
        await carry_over(source, log, topics)
        await append(source, {partition: numbered(2500, 3)})
        with pytest.raises(UnlikeError, match=f"{partition.topic}/0: offsets 0 to 2500 instead of 0 to 2503"):
            await check_alike(source, log, topics)

        await carry_over(source, log, topics)

        await check_alike(source, log, topics)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["whole", "shortened", "emptied"])
async def test_a_topic_that_holds_something_else_is_refused_and_left_alone(
    source_url: str, log: Log, topics: dict[str, int], part: int
) -> None:
    partition = TopicPartition(next(iter(topics)), part)
    await log.create_topics(topics)
    await append(log, {partition: [NewRecord(b"another", b"event")]})
    before = await everything(log, topics)

    async with open_log(source_url) as source:
        with pytest.raises(UnlikeError, match=f"{partition.topic}/{part}: offset 0 is not from this log"):
            await carry_over(source, log, topics)

    assert await everything(log, topics) == before


@pytest.mark.parametrize("other", ["value", "header", "time", "a record more"])
async def test_the_comparison_sees_every_difference(
    source_url: str, log: Log, topics: dict[str, int], other: str
) -> None:
    [small] = [topic for topic, partitions in topics.items() if partitions == 1]
    partition, at = TopicPartition(small, 0), datetime(2026, 3, 4, tzinfo=UTC)
    record = NewRecord(b"key", b"value", (("name", b"1"),), at)
    unlike = {
        "value": [NewRecord(b"key", b"Value", (("name", b"1"),), at)],
        "header": [NewRecord(b"key", b"value", (("name", b"2"),), at)],
        "time": [NewRecord(b"key", b"value", (("name", b"1"),), at + timedelta(milliseconds=1))],
        "a record more": [record, record],
    }
    async with open_log(source_url) as source:
        await append(source, {partition: [record]})
        await log.create_topics({small: 1})
        await append(log, {partition: unlike[other]})

        with pytest.raises(UnlikeError, match=f"{small}/0: "):
            await check_alike(source, log, {small: 1})
        with pytest.raises(UnlikeError, match=f"{small}/0: "):
            await carry_over(source, log, {small: 1})


async def test_nobody_appends_while_it_is_frozen_nor_after_it_was_closed(
    source_url: str, topics: dict[str, int]
) -> None:
    """Also not a program that came in between, and waits."""
    partition = TopicPartition(next(iter(topics)), 0)
    async with frozen(source_url) as closing:
        async with PostgresLog(source_url) as late:
            producer = await late.producer()
        appending = asyncio.create_task(producer.append({partition: numbered(2500, 1)}))
        await waits_for_a_lock(source_url)
        await closing.close_for_good("kafka://elsewhere:9092")

    with pytest.raises(LogUnavailableError, match="head"):
        await appending
    await producer.close()
    with pytest.raises(LogMovedError, match="kafka://elsewhere:9092"):
        async with open_log(source_url):
            pass
    assert await scalar(source_url, "SELECT count(*) FROM fairloop_log.record") == 2550


async def test_a_log_that_could_not_be_carried_over_is_as_it_was(
    source_url: str, topics: dict[str, int]
) -> None:
    partition = TopicPartition(next(iter(topics)), 0)

    async def closed_in_vain() -> None:
        async with frozen(source_url) as closing:
            await closing.close_for_good("kafka://elsewhere:9092")
            raise UnlikeError

    with pytest.raises(UnlikeError):
        await closed_in_vain()

    async with open_log(source_url) as source:
        await append(source, {partition: numbered(2500, 1)})
        assert (await source.bounds([partition]))[partition] == (0, 2501)


async def test_a_log_that_somebody_uses_is_not_frozen(source_url: str, topics: dict[str, int]) -> None:
    async with open_log(source_url):
        with pytest.raises(LogInUseError, match="fairloop log admin"):
            async with frozen(source_url):
                pytest.fail("it was frozen")


async def waits_for_a_lock(url: str) -> None:
    async with asyncio.timeout(20):
        while not await scalar(url, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.02)


async def scalar(url: str, query: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()
