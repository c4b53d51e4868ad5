"""What happens to our clients when brokers die: a cluster of three of our own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest
from tests.integration.log.workers import WITHIN, append, fetch_all, numbered, subscribed

from fairloop.log import open_log
from fairloop.log.kafka import brokers_there
from fairloop.log.port import Log, LogUnavailableError, Producer, Subscription, TopicPartition
from fairloop.testing_kafka import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaCluster]:
    async with KafkaCluster(tmp_path_factory.mktemp("three"), brokers=3) as started:
        yield started


async def test_topics_are_replicated_and_kept_for_ever(cluster: KafkaCluster) -> None:
    async with open_log(cluster.url) as log:
        await log.create_topics({"kept": 2})

    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.url.removeprefix("kafka://"))
    await admin.start()
    [topic] = await admin.describe_topics(["kept"])
    answer: Any
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "kept")])
    await admin.close()

    assert [len(partition["replicas"]) for partition in topic["partitions"]] == [3, 3]
    settings = {name: value for name, value, *_ in answer.resources[0][4]}
    assert settings["min.insync.replicas"] == "2"
    assert settings["cleanup.policy"] == "delete"
    assert settings["retention.ms"] == "-1"


async def test_no_topic_gets_fewer_copies_because_a_broker_that_is_named_is_late(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.removeprefix("kafka://"))
    await admin.start()
    try:
        assert await brokers_there(admin, 1) == 1
        with pytest.raises(LogUnavailableError, match="2 brokers are named and 1 there"):
            await brokers_there(admin, 2, seconds=0)
    finally:
        await admin.close()


async def test_a_question_that_is_given_up_at_once_leaves_no_connection_open(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect: Any = AIOKafkaConnection.connect
    send: Any = AIOKafkaConnection.send
    made: list[AIOKafkaConnection] = []
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def connect_and_note(connection: AIOKafkaConnection) -> Any:
        made.append(connection)
        return await connect(connection)

    async def answer_late(connection: AIOKafkaConnection, request: Any, *more: Any) -> Any:
        if isinstance(request, MetadataRequest):
            asked.set()
            await go_on.wait()
        return await send(connection, request, *more)

    monkeypatch.setattr(AIOKafkaConnection, "connect", connect_and_note)
    monkeypatch.setattr(AIOKafkaConnection, "send", answer_late)
    log = open_log(kafka)
    asking = asyncio.create_task(log.bounds([TopicPartition("any", 0)]))
    await asked.wait()
    asking.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert [connection.connected() for connection in made] == [False]


async def test_losing_one_broker_of_three_loses_nothing(cluster: KafkaCluster) -> None:
    partitions = [TopicPartition("one-lost", part) for part in range(3)]
    async with open_log(cluster.url) as log:
        await log.create_topics({"one-lost": 3})
        sender, sent = Sender(log, partitions), 0
        async with subscribed(log, "one-lost", "one-lost") as subscription:
            for round_number in range(20):
                if round_number == 5:
                    cluster.kill(1)
                sent += 10
                await sender.send_until(sent)
            values = await fetch_until(subscription, partitions, b"%d" % (sent - 1))
        await sender.close()
    cluster.start(1)
    await cluster.wait_ready()

    assert values == {partition: [b"%d" % number for number in range(sent)] for partition in partitions}


async def test_without_brokers_everything_says_so_and_goes_on_when_they_are_back(
    cluster: KafkaCluster,
) -> None:
    partition = TopicPartition("all-lost", 0)
    async with open_log(cluster.url) as log:
        await log.create_topics({"all-lost": 1})
        producer = await log.producer()
        await producer.append({partition: numbered(0, 1)})
        async with subscribed(log, "all-lost", "all-lost") as subscription:
            await fetch_all(subscription, 1)

            for broker in cluster.brokers:
                cluster.kill(broker.number)
            answers = await asyncio.gather(
                producer.append({partition: numbered(1, 1)}),
                until_error(subscription),
                log.bounds([partition]),
                log.committed("all-lost", [partition]),
                return_exceptions=True,
            )
            assert [type(answer) for answer in answers] == [LogUnavailableError] * 4
            await producer.close()
            for broker in cluster.brokers:
                cluster.start(broker.number)
            await cluster.wait_ready()

            await append(log, {partition: numbered(1, 1)})
            assert await fetch_patiently(subscription, partition) == b"1"


class Sender:
    """Appends as the relay does: by one producer, and after an error by a new one that looks at what arrived.

    Finding new leaders may take longer than a producer waits.
    """

    def __init__(self, log: Log, partitions: Sequence[TopicPartition]) -> None:
        self._log = log
        self._ends = dict.fromkeys(partitions, 0)
        self._producer: Producer | None = None

    async def send_until(self, end: int) -> None:
        """Until each partition ends there."""
        async with asyncio.timeout(WITHIN):
            while min(self._ends.values()) < end:
                try:
                    self._producer = self._producer or await self._log.producer()
                    await self._producer.append(
                        {partition: numbered(last, end - last) for partition, last in self._ends.items()}
                    )
                    self._ends = dict.fromkeys(self._ends, end)
                except LogUnavailableError:
                    await self.close()
                    await self._look()

    async def _look(self) -> None:
        with suppress(LogUnavailableError):
            bounds = await self._log.bounds(list(self._ends))
            self._ends = {partition: last for partition, (_, last) in bounds.items()}

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.close()


async def fetch_until(
    subscription: Subscription, partitions: Sequence[TopicPartition], last: bytes
) -> dict[TopicPartition, list[bytes]]:
    """The values of each partition up to `last`, in order. What was sent again after an error may come twice."""
    values: dict[TopicPartition, dict[bytes, None]] = {partition: {} for partition in partitions}
    async with asyncio.timeout(WITHIN):
        while not all(last in seen for seen in values.values()):
            for partition, records in (await subscription.fetch(max_records=500, timeout=1)).items():
                values[partition].update(dict.fromkeys(record.value for record in records))
    return {partition: list(seen) for partition, seen in values.items()}


async def until_error(subscription: Subscription) -> None:
    while True:
        await subscription.fetch(max_records=1, timeout=0.5)


async def fetch_patiently(subscription: Subscription, partition: TopicPartition) -> bytes:
    """The value of the next record, however long the consumer needs to notice that the brokers are back."""
    async with asyncio.timeout(60):
        while True:
            try:
                batches = await subscription.fetch(max_records=1, timeout=0.5)
            except LogUnavailableError:
                continue
            if batches:
                return batches[partition][0].value
