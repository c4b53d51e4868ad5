"""Apache Kafka as the event log, by aiokafka.

Questions to the brokers use a client of their own, so that none can be left in a bad state.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition as KafkaPartition

from fairloop.log.kafka_address import KafkaAddress
from fairloop.log.kafka_link import ASK_MS, connection, kafka_errors, record_from, start, stop_consumer
from fairloop.log.kafka_producer import KafkaProducer
from fairloop.log.kafka_subscription import KafkaSubscription
from fairloop.log.port import (
    Assigned,
    LogUnavailableError,
    Record,
    Revoked,
    TopicMismatchError,
    TopicPartition,
)

TOPIC_READY_SECONDS = 30.0
READ_SECONDS = 30.0
LEARNING_SECONDS = 5.0
"""Brokers learn of a new topic one after the other: one that does not know it yet is no proof that there is none."""


class KafkaLog:
    """The brokers that a `kafka://` address names. Raises ValueError for one that is not understood."""

    def __init__(self, url: str) -> None:
        KafkaAddress.of(url)
        self._url = url

    async def __aenter__(self) -> Self:
        async with self._admin():
            return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open between questions."""

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Each with min(3, brokers) replicas of which all but one must be in sync, kept for ever.

        While a new cluster comes up it waits for as many brokers as the address names.
        """
        async with self._admin() as admin:
            present = await leaders(admin, partitions)
            if missing := {name: count for name, count in partitions.items() if name not in present}:
                replicas = min(3, await brokers_there(admin, self._url.count(",") + 1))
                settings = {
                    "min.insync.replicas": str(max(1, replicas - 1)),
                    "cleanup.policy": "delete",
                    "message.timestamp.type": "CreateTime",
                    "retention.ms": "-1",
                }
                answer: Any = await admin.create_topics(
                    [
                        NewTopic(name, count, replicas, topic_configs=settings)
                        for name, count in missing.items()
                    ]
                )
                for name, code, *_ in answer.topic_errors:
                    if code not in {0, TopicAlreadyExistsError.errno}:
                        raise LogUnavailableError(f"topic {name}: {for_code(code).__name__}")
            await wait_for_leaders(admin, partitions)
        await self.check_topics(partitions)

    async def check_topics(self, partitions: Mapping[str, int]) -> None:
        async with self._admin() as admin:
            found = {name: len(parts) for name, parts in (await known(admin, partitions)).items()}
        wrong = {name: found.get(name) for name, count in partitions.items() if found.get(name) != count}
        if wrong:
            raise TopicMismatchError(
                f"expected {dict(partitions)}, found otherwise: {wrong} (None: not there, or not for this user)"
            )

    async def producer(self) -> KafkaProducer:
        return await KafkaProducer.open(self._url)

    async def subscribe(
        self, group: str, topics: Sequence[str], *, on_assigned: Assigned, on_revoked: Revoked
    ) -> KafkaSubscription:
        async with self._admin() as admin:
            present = await known(admin, topics)
        if missing := set(topics) - set(present):
            raise TopicMismatchError(f"no such topics: {sorted(missing)}")
        subscription = KafkaSubscription(self._url, group, topics, on_assigned, on_revoked)
        await subscription.open()
        return subscription

    async def bounds(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        if not partitions:
            return {}
        async with self._admin() as admin:
            present = await known(admin, {partition.topic for partition in partitions})
        if missing := [p for p in partitions if p.partition not in present.get(p.topic, {})]:
            raise TopicMismatchError(f"no such partitions: {missing}")
        async with self._reader() as reader:
            return await ends(reader, partitions)

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> Sequence[Record]:
        records: list[Record] = []
        async with self._reader() as reader, asyncio.timeout(READ_SECONDS):
            first, end = (await ends(reader, [partition]))[partition]
            start = max(first, offset)
            count = min(max_records, end - start)
            if count > 0:
                reader.assign([KafkaPartition(*partition)])
                reader.seek(KafkaPartition(*partition), start)
            while len(records) < count:
                batches = await reader.getmany(timeout_ms=1000, max_records=count - len(records))
                records += [record_from(message) for batch in batches.values() for message in batch]
        return records

    async def committed(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        async with self._admin() as admin:
            found = await admin.list_consumer_group_offsets(group)
        known = {TopicPartition(*partition): entry.offset for partition, entry in found.items()}
        return {partition: known[partition] for partition in partitions if known.get(partition, -1) >= 0}

    async def truncate(self, before: Mapping[TopicPartition, int]) -> None:
        bounds = await self.bounds(list(before))
        async with self._admin() as admin:
            await admin.delete_records(
                {
                    KafkaPartition(*partition): RecordsToDelete(min(offset, bounds[partition][1]))
                    for partition, offset in before.items()
                    if offset > bounds[partition][0]
                }
            )

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**connection(self._url), request_timeout_ms=ASK_MS)
        try:
            with kafka_errors():
                await start(admin)
                yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer without a group."""
        reader = AIOKafkaConsumer(
            **connection(self._url),
            request_timeout_ms=ASK_MS,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        try:
            with kafka_errors():
                await start(reader)
                yield reader
        finally:
            await stop_consumer(reader)


async def brokers_there(
    admin: AIOKafkaAdminClient, named: int, *, seconds: float = TOPIC_READY_SECONDS
) -> int:
    """How many brokers run. Raises LogUnavailableError while fewer do than are named, or than three."""
    deadline = time.monotonic() + seconds
    while (there := len((await admin.describe_cluster())["brokers"])) < min(3, named):
        if time.monotonic() > deadline:
            raise LogUnavailableError(
                f"{named} brokers are named and {there} there: a topic needs its copies"
            )
        await asyncio.sleep(0.1)
    return there


async def leaders(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, dict[int, int]]:
    """The leading broker (-1: none at the moment) of each partition of those topics that exist."""
    answer = await admin.describe_topics(list(topics))
    return {
        topic["topic"]: {entry["partition"]: entry["leader"] for entry in topic["partitions"]}
        for topic in answer
        if topic["partitions"]
    }


async def known(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, dict[int, int]]:
    """`leaders`, asked again for a while when topics are missing."""
    wanted = set(topics)
    deadline = time.monotonic() + LEARNING_SECONDS
    while True:
        found = await leaders(admin, wanted)
        if found.keys() == wanted or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)


async def wait_for_leaders(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
    """Until every partition can be written to: brokers learn of a new topic one after the other."""
    wanted = set(topics)
    async with asyncio.timeout(TOPIC_READY_SECONDS):
        while True:
            found = await leaders(admin, wanted)
            if found.keys() == wanted and all(min(parts.values()) >= 0 for parts in found.values()):
                return
            await asyncio.sleep(0.1)


async def ends(
    reader: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    asked = [KafkaPartition(*partition) for partition in partitions]
    first, last = await asyncio.gather(reader.beginning_offsets(asked), reader.end_offsets(asked))
    return {TopicPartition(*partition): (first[partition], last[partition]) for partition in asked}
