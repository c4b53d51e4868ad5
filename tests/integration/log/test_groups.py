"""How the workers of a group share a topic. Runs unchanged on the embedded log and on a real Apache Kafka."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest
from tests.integration.log.workers import (
    Journal,
    Worker,
    append,
    entries_of,
    eventually,
    numbered,
    worker_process,
)

from fairloop.log.port import Log, TopicPartition


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def joined(name: str, journal: Journal, log: Log, group: str, topic: str) -> Worker:
    worker = Worker(name, journal)
    await worker.start(log, group, topic)
    return worker


async def test_workers_share_and_every_record_reaches_the_group_once_and_in_order(
    log: Log, topic: str, group: str
) -> None:
    partitions = [TopicPartition(topic, part) for part in range(4)]
    journal = Journal()
    appended = 0

    async def append_and_await() -> None:
        nonlocal appended
        await append(log, {partition: numbered(appended, 40) for partition in partitions})
        appended += 40
        await eventually(lambda: all(len(journal.handed[partition]) >= appended for partition in partitions))

    one = await joined("one", journal, log, group, topic)
    await eventually(lambda: len(one.partitions) == 4)
    await append_and_await()

    two = await joined("two", journal, log, group, topic)
    await append(log, {partition: numbered(appended, 40) for partition in partitions})
    appended += 40
    await eventually(lambda: (len(one.partitions), len(two.partitions)) == (2, 2))
    await append_and_await()

    three = await joined("three", journal, log, group, topic)
    workers = [one, two, three]
    await eventually(lambda: sorted(len(worker.partitions) for worker in workers) == [1, 1, 2])
    await append_and_await()

    await one.stop()
    await eventually(lambda: (len(two.partitions), len(three.partitions)) == (2, 2))
    await append_and_await()

    await two.stop()
    await eventually(lambda: len(three.partitions) == 4)
    await append_and_await()
    await three.stop()

    for partition in partitions:
        assert journal.handed[partition] == list(range(appended))


async def test_a_partition_is_revoked_before_another_worker_gets_it(log: Log, topic: str, group: str) -> None:
    journal = Journal()
    workers = [await joined(name, journal, log, group, topic) for name in ("one", "two", "three")]
    await eventually(lambda: sorted(len(worker.partitions) for worker in workers) == [1, 1, 2])
    for worker in workers:
        await worker.stop()

    for part in range(4):
        told = entries_of(journal, TopicPartition(topic, part))
        taken, given = told[::2], told[1::2]
        assert {kind for kind, _ in taken} == {"assigned"}
        assert {kind for kind, _ in given} <= {"revoked", "closed"}
        assert [name for _, name in taken] == [name for _, name in given]


async def test_nobody_gets_a_partition_while_its_worker_is_still_letting_go(
    log: Log, topic: str, group: str
) -> None:
    letting_go, done = asyncio.Event(), asyncio.Event()

    async def on_assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def on_revoked(_: Sequence[TopicPartition]) -> None:
        letting_go.set()
        await done.wait()

    first = await log.subscribe(group, [topic], on_assigned=on_assigned, on_revoked=on_revoked)
    await eventually(lambda: len(first.assignment()) == 4)
    journal = Journal()
    joining = asyncio.create_task(joined("second", journal, log, group, topic))
    await letting_go.wait()
    assert await first.fetch(max_records=1, timeout=2) == {}
    assert journal.entries == []

    done.set()

    second = await joining
    await eventually(lambda: len(first.assignment()) == len(second.partitions) == 2)
    await second.stop()
    await first.close()


async def test_more_workers_than_partitions_leave_some_idle_and_ready(
    log: Log, topic: str, group: str
) -> None:
    journal = Journal()
    workers = [await joined(f"worker-{number}", journal, log, group, topic) for number in range(5)]
    await eventually(lambda: sorted(len(worker.partitions) for worker in workers) == [0, 1, 1, 1, 1])
    busy = next(worker for worker in workers if worker.partitions)

    await busy.stop()

    rest = [worker for worker in workers if worker is not busy]
    await eventually(lambda: [len(worker.partitions) for worker in rest] == [1, 1, 1, 1])
    for worker in rest:
        await worker.stop()


async def test_groups_do_not_know_each_other(log: Log, topic: str, group: str) -> None:
    partition = TopicPartition(topic, 0)
    journals = [Journal(), Journal()]
    workers = [
        await joined("worker", journal, log, f"{group}-{number}", topic)
        for number, journal in enumerate(journals)
    ]

    await append(log, {partition: numbered(0, 10)})

    await eventually(lambda: all(journal.handed[partition] == list(range(10)) for journal in journals))
    for worker in workers:
        await worker.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_others_take_over_from_a_worker_that_vanishes(
    log: Log, log_url: str, topic: str, group: str, number: signal.Signals, stack: AsyncExitStack
) -> None:
    """Killed, its connections close; stopped, they stay open and it falls silent. A stopped one may wake up later."""
    partitions = {TopicPartition(topic, part) for part in range(4)}
    lost = await stack.enter_async_context(worker_process(log_url, group, topic))
    await eventually(lambda: lost.partitions == partitions)
    heir = await stack.enter_async_context(worker_process(log_url, group, topic))
    await eventually(lambda: len(lost.partitions) == len(heir.partitions) == 2)
    await append(log, dict.fromkeys(partitions, numbered(0, 20)))
    await eventually(lambda: sum(map(len, (lost.fetched | heir.fetched).values())) >= 80)

    lost.signal(number)
    await append(log, dict.fromkeys(partitions, numbered(20, 20)))

    await eventually(lambda: heir.partitions == partitions)
    await eventually(lambda: all(39 in heir.fetched[partition] for partition in partitions))
    for partition in partitions:
        inherited = [offset for offset in heir.fetched[partition] if offset >= 20]
        assert inherited == sorted(set(inherited)) == list(range(20, 40))

    if number == signal.SIGSTOP:
        lost.revoked.clear()
        lost.signal(signal.SIGCONT)
        await eventually(lambda: len(lost.revoked) == 2)
        await eventually(lambda: len(lost.partitions) == len(heir.partitions) == 2)
