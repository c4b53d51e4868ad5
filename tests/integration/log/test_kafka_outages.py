"""What happens to our clients when brokers die: a cluster of three of our own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from tests.integration.log.workers import append, fetch_all, numbered, subscribed

from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, Subscription, TopicPartition
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
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "kept")])
    await admin.close()

    assert [len(partition["replicas"]) for partition in topic["partitions"]] == [3, 3]
    settings = {name: value for name, value, *_ in answer.resources[0][4]}
    assert settings["min.insync.replicas"] == "2"
    assert settings["cleanup.policy"] == "delete"
    assert settings["retention.ms"] == "-1"


async def test_losing_one_broker_of_three_loses_nothing(cluster: KafkaCluster) -> None:
    partitions = [TopicPartition("one-lost", part) for part in range(3)]
    async with open_log(cluster.url) as log:
        await log.create_topics({"one-lost": 3})
        producer = await log.producer()
        sent = 0
        async with subscribed(log, "one-lost", "one-lost") as subscription:
            for round_number in range(20):
                if round_number == 5:
                    cluster.kill(1)
                await producer.append(dict.fromkeys(partitions, numbered(sent, 10)))
                sent += 10
            values = await fetch_all(subscription, 3 * sent)
        await producer.close()
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
