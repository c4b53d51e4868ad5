"""What every event log must do. Runs unchanged on the embedded log and on a real Apache Kafka."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.integration.log.workers import append, eventually, fetch_all, numbered, subscribed

from fairloop.log import open_log
from fairloop.log.port import (
    Log,
    LogUnavailableError,
    NewRecord,
    Subscription,
    TopicMismatchError,
    TopicPartition,
)


async def test_creating_topics_again_changes_nothing(log: Log) -> None:
    names = [f"topic-{uuid4().hex[:12]}" for _ in range(2)]
    partitions = {names[0]: 3, names[1]: 1}

    await log.create_topics(partitions)
    await log.create_topics(partitions)

    await log.check_topics(partitions)
    assert await log.bounds([TopicPartition(names[0], 2)]) == {TopicPartition(names[0], 2): (0, 0)}


async def test_another_number_of_partitions_is_refused(log: Log, topic: str) -> None:
    with pytest.raises(TopicMismatchError, match=topic):
        await log.check_topics({topic: 5})
    with pytest.raises(TopicMismatchError, match=topic):
        await log.create_topics({topic: 5})
    await log.check_topics({topic: 4})


async def test_a_missing_topic_is_named(log: Log, group: str) -> None:
    async def on_assigned(_: object) -> dict[TopicPartition, int]:
        return {}

    async def on_revoked(_: object) -> None: ...

    missing = f"missing-{group}"
    with pytest.raises(TopicMismatchError, match=missing):
        await log.check_topics({missing: 1})
    with pytest.raises(TopicMismatchError, match=missing):
        await log.bounds([TopicPartition(missing, 0)])
    with pytest.raises(TopicMismatchError, match=missing):
        await log.subscribe(group, [missing], on_assigned=on_assigned, on_revoked=on_revoked)


async def test_records_come_back_as_they_went_in(log: Log, topic: str) -> None:
    partition = TopicPartition(topic, 1)
    sent = [
        NewRecord(b"", b""),
        NewRecord(
            bytes(range(256)), os.urandom(1000), (("ce_id", os.urandom(16)), ("empty", b""), ("é", b"\0"))
        ),
        NewRecord(b"large", os.urandom(900_000), (("same", b"1"), ("same", b"2"))),
        NewRecord(b"large", os.urandom(900_000)),
        NewRecord("schlüssel".encode(), b'{"json": true}'),
    ]

    await append(log, {partition: sent})

    found = await log.read(partition, 0, max_records=10)
    assert [NewRecord(record.key, record.value, record.headers) for record in found] == sent
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]
    assert {(record.topic, record.partition) for record in found} == {partition}
    assert all(record.timestamp.utcoffset() is not None for record in found)


async def test_reading_starts_where_asked_and_stops_when_enough_or_at_the_end(log: Log, topic: str) -> None:
    partition = TopicPartition(topic, 0)
    await append(log, {partition: numbered(0, 10)})

    assert [r.offset for r in await log.read(partition, 4, max_records=3)] == [4, 5, 6]
    assert [r.offset for r in await log.read(partition, 8, max_records=100)] == [8, 9]
    assert await log.read(partition, 10, max_records=100) == []
    assert await log.read(TopicPartition(topic, 3), 0, max_records=100) == []


async def test_a_record_keeps_the_time_it_is_given_and_else_gets_that_of_its_appending(
    log: Log, topic: str
) -> None:
    partition, given = TopicPartition(topic, 0), datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    await append(log, {partition: [NewRecord(b"", b"", timestamp=given), NewRecord(b"", b"")]})

    first, second = await log.read(partition, 0, max_records=2)
    assert first.timestamp == given
    assert before <= second.timestamp <= datetime.now(UTC)


async def test_one_append_reaches_many_partitions_in_order(log: Log, topic: str) -> None:
    batches = {TopicPartition(topic, part): numbered(100 * part, 50) for part in range(4)}

    await append(log, batches)

    for partition, records in batches.items():
        assert [r.value for r in await log.read(partition, 0, max_records=100)] == [r.value for r in records]
    assert await log.bounds(list(batches)) == dict.fromkeys(batches, (0, 50))


async def test_concurrent_appends_leave_no_hole_and_keep_each_producers_order(log: Log, topic: str) -> None:
    partitions = [TopicPartition(topic, part) for part in (0, 1)]

    async def produce(name: int) -> None:
        producer = await log.producer()
        for round_number in range(20):
            records = [NewRecord(b"%d" % name, b"%d" % (3 * round_number + place)) for place in range(3)]
            order = partitions if name % 2 else partitions[::-1]
            await producer.append(dict.fromkeys(order, records))
        await producer.close()

    await asyncio.gather(*(produce(name) for name in range(4)))

    for partition in partitions:
        records = await log.read(partition, 0, max_records=1000)
        assert [record.offset for record in records] == list(range(240))
        for name in range(4):
            values = [int(record.value) for record in records if record.key == b"%d" % name]
            assert values == list(range(60))


async def test_a_failed_append_says_so_and_a_new_producer_goes_on(log: Log, topic: str) -> None:
    partition = TopicPartition(topic, 0)
    producer = await log.producer()
    await producer.append({partition: numbered(0, 1)})

    with pytest.raises(LogUnavailableError):
        await producer.append({TopicPartition(topic, 99): numbered(0, 1)})
    with pytest.raises(LogUnavailableError):
        await producer.append({partition: numbered(1, 1)})
    await producer.close()

    await append(log, {partition: numbered(1, 1)})
    assert [record.value for record in await log.read(partition, 0, max_records=10)] == [b"0", b"1"]


async def test_an_empty_append_is_nothing(log: Log, topic: str) -> None:
    await append(log, {})
    await append(log, {TopicPartition(topic, 0): []})

    assert await log.bounds([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): (0, 0)}
    assert await log.bounds([]) == {}


async def test_a_waiting_fetch_wakes_when_something_is_appended(log: Log, topic: str, group: str) -> None:
    async with subscribed(log, group, topic) as subscription:
        waiting = asyncio.create_task(subscription.fetch(max_records=10, timeout=60))

        await append(log, {TopicPartition(topic, 2): numbered(7, 1)})

        async with asyncio.timeout(20):
            batches = await waiting
    assert {partition: [r.value for r in records] for partition, records in batches.items()} == {
        TopicPartition(topic, 2): [b"7"]
    }


async def test_news_arrive_at_once_and_not_with_the_next_poll(log: Log, topic: str, group: str) -> None:
    producer = await log.producer()
    async with subscribed(log, group, topic) as subscription, asyncio.timeout(10):
        for number in range(50):
            waiting = asyncio.create_task(subscription.fetch(max_records=10, timeout=60))
            await producer.append({TopicPartition(topic, 2): numbered(number, 1)})
            assert [r.offset for r in (await waiting)[TopicPartition(topic, 2)]] == [number]
    await producer.close()


async def test_a_fetch_without_news_ends_empty(log: Log, topic: str, group: str) -> None:
    async with subscribed(log, group, topic) as subscription:
        assert await subscription.fetch(max_records=10, timeout=0.2) == {}


async def test_a_fetch_hands_out_no_more_than_asked(log: Log, topic: str, group: str) -> None:
    partitions = [TopicPartition(topic, part) for part in range(4)]
    await append(log, {partition: numbered(0, 100) for partition in partitions})

    async with subscribed(log, group, topic) as subscription:
        handed = 0
        while handed < 400:
            batches = await subscription.fetch(max_records=30, timeout=5)
            count = sum(len(records) for records in batches.values())
            assert 0 < count <= 30
            handed += count


async def test_the_answer_to_an_assignment_decides_the_start(log: Log, topic: str, group: str) -> None:
    await append(log, {TopicPartition(topic, part): numbered(0, 10) for part in range(4)})

    async with subscribed(log, group, topic, start=lambda partition: 2 * partition.partition) as subscription:
        values = await fetch_all(subscription, 28)

    assert values == {
        TopicPartition(topic, part): [b"%d" % number for number in range(2 * part, 10)] for part in range(4)
    }


async def test_a_partition_left_out_of_the_answer_waits_for_seek_and_resume(
    log: Log, topic: str, group: str
) -> None:
    await append(log, {TopicPartition(topic, part): numbered(0, 10) for part in range(4)})
    left_out = TopicPartition(topic, 3)

    async with subscribed(log, group, topic, lambda p: None if p == left_out else 0) as subscription:
        assert subscription.assignment() == {TopicPartition(topic, part) for part in range(4)}
        assert left_out not in await fetch_all(subscription, 30)
        assert await subscription.fetch(max_records=10, timeout=0.5) == {}

        subscription.seek(left_out, 6)
        subscription.resume(left_out)

        assert await fetch_all(subscription, 4) == {left_out: [b"6", b"7", b"8", b"9"]}


async def test_nothing_is_handed_out_before_the_assignment_is_answered(
    log: Log, topic: str, group: str
) -> None:
    partition = TopicPartition(topic, 0)
    await append(log, {partition: numbered(0, 3)})
    asked, answer = asyncio.Event(), asyncio.Event()

    async def on_assigned(partitions: object) -> dict[TopicPartition, int]:
        asked.set()
        await answer.wait()
        return {partition: 1}

    async def on_revoked(_: object) -> None: ...

    subscription = await log.subscribe(group, [topic], on_assigned=on_assigned, on_revoked=on_revoked)
    await asked.wait()
    assert await subscription.fetch(max_records=10, timeout=1) == {}

    answer.set()

    assert await fetch_all(subscription, 2) == {partition: [b"1", b"2"]}
    await subscription.close()


async def test_a_paused_partition_rests_and_goes_on_where_it_was(log: Log, topic: str, group: str) -> None:
    resting, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with subscribed(log, group, topic) as subscription:
        await append(log, {resting: numbered(0, 5)})
        await fetch_all(subscription, 5)

        subscription.pause(resting)
        await append(log, {resting: numbered(5, 5), other: numbered(0, 5)})
        assert await fetch_all(subscription, 5) == {other: [b"%d" % number for number in range(5)]}
        assert await subscription.fetch(max_records=10, timeout=0.5) == {}
        subscription.resume(resting)

        assert await fetch_all(subscription, 5) == {resting: [b"%d" % number for number in range(5, 10)]}


async def test_pausing_during_a_fetch_holds_the_partition_back(log: Log, topic: str, group: str) -> None:
    partition = TopicPartition(topic, 0)
    async with subscribed(log, group, topic) as subscription:
        assert await subscription.fetch(max_records=10, timeout=0.1) == {}
        await append(log, {partition: numbered(0, 3)})
        fetching = asyncio.create_task(subscription.fetch(max_records=10, timeout=1))
        await asyncio.sleep(0)

        subscription.pause(partition)

        assert await fetching == {}
        subscription.resume(partition)
        assert await fetch_all(subscription, 3) == {partition: [b"0", b"1", b"2"]}


async def test_seeking_goes_back_and_forth(log: Log, topic: str, group: str) -> None:
    partition = TopicPartition(topic, 0)
    await append(log, {partition: numbered(0, 10)})
    async with subscribed(log, group, topic) as subscription:
        await fetch_all(subscription, 10)

        subscription.seek(partition, 7)
        assert await fetch_all(subscription, 3) == {partition: [b"7", b"8", b"9"]}
        subscription.seek(partition, 0)
        assert len((await fetch_all(subscription, 10))[partition]) == 10
        subscription.seek(partition, 10)
        assert await subscription.fetch(max_records=10, timeout=0.5) == {}


async def test_seeking_during_a_fetch_counts(log: Log, topic: str, group: str) -> None:
    partition = TopicPartition(topic, 0)
    async with subscribed(log, group, topic) as subscription:
        assert await subscription.fetch(max_records=10, timeout=0.1) == {}
        await append(log, {partition: numbered(0, 10)})
        fetching = asyncio.create_task(subscription.fetch(max_records=10, timeout=60))
        await asyncio.sleep(0)

        subscription.seek(partition, 4)

        async with asyncio.timeout(20):
            batches = await fetching
        assert [record.offset for record in batches[partition]] == [4, 5, 6, 7, 8, 9]


async def test_what_is_not_assigned_can_be_paused_and_sought_without_harm(
    log: Log, topic: str, group: str
) -> None:
    stranger = TopicPartition(topic, 99)
    async with subscribed(log, group, topic) as subscription:
        subscription.pause(stranger)
        subscription.seek(stranger, 5)
        subscription.resume(stranger)
        await subscription.commit({stranger: 5})

        await append(log, {TopicPartition(topic, 0): numbered(0, 1)})
        assert await fetch_all(subscription, 1) == {TopicPartition(topic, 0): [b"0"]}


async def test_the_group_remembers_what_was_committed(log: Log, topic: str, group: str) -> None:
    first, second, third = (TopicPartition(topic, part) for part in range(3))
    await append(log, dict.fromkeys((first, second), numbered(0, 10)))
    async with subscribed(log, group, topic) as subscription:
        assert await log.committed(group, [first, second]) == {}
        await subscription.commit({first: 3, second: 10})
        await subscription.commit({first: 5})

    assert await log.committed(group, [first, second, third]) == {first: 5, second: 10}
    assert await log.committed(f"{group}-other", [first, second]) == {}


async def test_truncating_deletes_only_what_is_below(log: Log, topic: str, group: str) -> None:
    cut, whole = TopicPartition(topic, 0), TopicPartition(topic, 1)
    await append(log, dict.fromkeys((cut, whole), numbered(0, 10)))

    await log.truncate({cut: 4})

    assert await log.bounds([cut, whole]) == {cut: (4, 10), whole: (0, 10)}
    assert [record.offset for record in await log.read(cut, 0, max_records=2)] == [4, 5]
    async with subscribed(log, group, topic) as subscription:
        values = await fetch_all(subscription, 16)
    assert values[cut] == [b"%d" % number for number in range(4, 10)]


async def test_truncating_never_goes_back_nor_past_the_end(log: Log, topic: str) -> None:
    partition = TopicPartition(topic, 0)
    await append(log, {partition: numbered(0, 10)})

    await log.truncate({partition: 1000})
    await log.truncate({partition: 3})
    await append(log, {partition: numbered(10, 1)})

    assert await log.bounds([partition]) == {partition: (10, 11)}
    assert [record.value for record in await log.read(partition, 0, max_records=10)] == [b"10"]


@pytest.mark.parametrize("failing", ["assigned", "revoked"])
async def test_an_error_of_a_callback_comes_out_of_the_fetch(
    log: Log, topic: str, group: str, failing: str
) -> None:
    assigned = asyncio.Event()

    async def on_assigned(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        assigned.set()
        if failing == "assigned":
            raise ZeroDivisionError
        return dict.fromkeys(partitions, 0)

    async def on_revoked(_: object) -> None:
        if failing == "revoked":
            raise ZeroDivisionError

    subscription = await log.subscribe(group, [topic], on_assigned=on_assigned, on_revoked=on_revoked)
    await assigned.wait()
    if failing == "revoked":
        await eventually(lambda: bool(subscription.assignment()))
        async with subscribed(log, group, topic):
            assert await first_error(subscription)
    assert await first_error(subscription)
    await subscription.close()


async def first_error(subscription: Subscription) -> Exception:
    """What the fetches to come end in."""
    async with asyncio.timeout(30):
        while True:
            try:
                await subscription.fetch(max_records=1, timeout=0.5)
            except ZeroDivisionError as error:
                return error


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/log", "kafka://127.0.0.1:1"])
async def test_a_log_that_cannot_be_reached_says_so(url: str) -> None:
    with pytest.raises(LogUnavailableError):
        async with open_log(url):
            pass
    with pytest.raises(LogUnavailableError):
        await open_log(url).producer()
