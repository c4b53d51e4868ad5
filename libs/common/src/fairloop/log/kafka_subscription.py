"""One worker's subscription in a Kafka consumer group."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition as KafkaPartition

from fairloop.log.kafka_link import connection, kafka_errors, record_from, start, stop_consumer
from fairloop.log.port import Assigned, LogUnavailableError, Record, Revoked, TopicPartition

logger = structlog.get_logger()

OPEN_SECONDS = 60.0
COMMIT_SECONDS = 5.0
GRACE_SECONDS = 1.0
"""How much longer than asked a poll may take before fetch leaves it running and answers."""
SILENT_SECONDS = 15.0
REBALANCE_SECONDS = 20.0


class KafkaSubscription(ConsumerRebalanceListener):
    def __init__(
        self, url: str, group: str, topics: Sequence[str], on_assigned: Assigned, on_revoked: Revoked
    ) -> None:
        self._topics = list(topics)
        self._group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._consumer = AIOKafkaConsumer(
            **connection(url),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=15_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            max_poll_records=500,
        )
        self._next: dict[TopicPartition, int | None] = {}  # of what is assigned: the next offset to hand out
        self._paused: set[TopicPartition] = set()
        self._touched: set[TopicPartition] = set()  # assigned, paused or sought since the poll began
        self._poll: asyncio.Task[Mapping[KafkaPartition, list[Any]]] | None = None
        self._error: Exception | None = None
        self._joining = True
        self._closing = False
        self._heard = 0.0  # when the brokers last showed a sign of life, in the event loop's time

    async def open(self) -> None:
        """Join the group. Raises LogUnavailableError."""
        self._hear()
        self._consumer.subscribe(self._topics, listener=self)
        try:
            with kafka_errors():
                async with asyncio.timeout(OPEN_SECONDS):
                    await start(self._consumer)
        except BaseException:
            await self.close()
            raise

    async def fetch(self, *, max_records: int, timeout: float) -> Mapping[TopicPartition, Sequence[Record]]:
        """A poll is a task of its own: it must never be cancelled, and hangs while the group finds no coordinator."""
        if self._error is not None:
            raise self._error
        if self._poll is None:
            self._touched.clear()
            self._poll = asyncio.create_task(
                self._consumer.getmany(timeout_ms=int(timeout * 1000), max_records=max_records)
            )
        await asyncio.wait({self._poll}, timeout=timeout + GRACE_SECONDS)
        batches: Mapping[TopicPartition, Sequence[Record]] = {}
        if self._poll.done():
            poll, self._poll = self._poll, None
            with kafka_errors():
                batches = self._accept(poll.result())
        if batches:
            self._hear()
        elif self._error is not None:
            raise self._error
        else:
            self._check_brokers_answer()
        return batches

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._next)

    def pause(self, partition: TopicPartition) -> None:
        if partition in self._next:
            self._touched.add(partition)
            self._paused.add(partition)
            self._consumer.pause(KafkaPartition(*partition))

    def resume(self, partition: TopicPartition) -> None:
        if partition in self._next:
            self._hear()
            self._paused.discard(partition)
            self._consumer.resume(KafkaPartition(*partition))

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._next:
            self._touched.add(partition)
            self._next[partition] = offset
            self._consumer.seek(KafkaPartition(*partition), offset)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit({KafkaPartition(*p): offset for p, offset in offsets.items()})
        except (KafkaError, TimeoutError) as error:
            logger.info("offset_commit_failed", group=self._group, error=str(error))

    async def close(self) -> None:
        self._closing = True
        self._next.clear()
        await stop_consumer(self._consumer)
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.wait({self._poll})

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        """Called by aiokafka, which swallows errors, and already fetches from the group's offset meanwhile."""
        if self._closing:
            return
        gained = sorted(TopicPartition(*partition) for partition in assigned)
        try:
            self._consumer.pause(*assigned)  # before any await
            starts = await self._on_assigned(gained) if gained else {}
            for partition in gained:
                self._next[partition] = None
                self._paused.add(partition)
                self._touched.add(partition)
            for partition, offset in starts.items():
                self.seek(partition, offset)
                self.resume(partition)
        except Exception as error:
            self._error = error
        self._joining = False

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        """Called by aiokafka with everything assigned, whenever the group changes."""
        self._hear()
        self._joining = True
        lost = sorted(self._next)
        self._next.clear()
        self._paused.clear()
        try:
            if lost:
                await self._on_revoked(lost)
        except Exception as error:
            self._error = error

    def _accept(self, batches: Mapping[KafkaPartition, list[Any]]) -> dict[TopicPartition, Sequence[Record]]:
        """What may be handed out of a finished poll."""
        accepted: dict[TopicPartition, Sequence[Record]] = {}
        for kafka_partition, fetched in batches.items():
            partition = TopicPartition(*kafka_partition)
            touched = partition in self._touched
            messages = self._still_wanted(partition, fetched) if touched else fetched
            if messages and partition in self._next:
                accepted[partition] = [record_from(message) for message in messages]
                self._next[partition] = messages[-1].offset + 1
        return accepted

    def _still_wanted(self, partition: TopicPartition, messages: list[Any]) -> list[Any]:
        """Of a partition that was assigned, paused or sought while the poll ran: aiokafka may have taken these
        records before that, so it is told once more where to go on."""
        start = self._next.get(partition)
        if start is None:
            return []
        wanted = [] if partition in self._paused else [m for m in messages if m.offset >= start]
        if wanted and wanted[0].offset > start:
            wanted = []
        self._consumer.seek(KafkaPartition(*partition), wanted[-1].offset + 1 if wanted else start)
        return wanted

    def _check_brokers_answer(self) -> None:
        """aiokafka retries for ever in silence; a worker has to know when it cannot see what is new."""
        readable = [partition for partition in self._next if partition not in self._paused]
        answers = [self._consumer.last_poll_timestamp(KafkaPartition(*partition)) for partition in readable]
        now = asyncio.get_running_loop().time()
        if any(answers):
            seconds_ago = time.time() - max(filter(None, answers)) / 1000
            self._heard = max(self._heard, now - seconds_ago)
        elif not readable and not self._joining:
            self._heard = now
        patience = SILENT_SECONDS + (REBALANCE_SECONDS if self._joining else 0)
        if now - self._heard > patience:
            raise LogUnavailableError(f"the brokers have not answered for {now - self._heard:.0f} s")

    def _hear(self) -> None:
        self._heard = asyncio.get_running_loop().time()
