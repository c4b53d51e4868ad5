"""Appending to Kafka: an idempotent producer that sends whole batches and is thrown away after any error."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from aiokafka import AIOKafkaProducer

from fairloop.log.kafka_link import connection, kafka_errors, start, stop_producer
from fairloop.log.port import LogUnavailableError, NewRecord, TopicPartition, milliseconds

DELIVERY_SECONDS = 15.0
"""aiokafka gives a batch up that was not acknowledged in this time."""
GIVE_UP_SECONDS = 20.0
"""An idempotent producer that gets no id from the brokers does not give up by itself."""
BATCH_BYTES = 900_000
"""Below the brokers' default limit of 1 MiB a batch; a larger record travels alone."""


class KafkaProducer:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer: AIOKafkaProducer | None = producer
        self._usable = True

    @classmethod
    async def open(cls, url: str) -> Self:
        producer = AIOKafkaProducer(
            **connection(url),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(DELIVERY_SECONDS * 1000),
        )
        opened = cls(producer)
        try:
            with kafka_errors():
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    await start(producer)
        except BaseException:
            await opened.close()
            raise
        return opened

    async def append(self, batches: Mapping[TopicPartition, Sequence[NewRecord]]) -> None:
        if self._producer is None or not self._usable:
            raise LogUnavailableError("the producer is in use, closed, or failed before")
        self._usable = False
        with kafka_errors():
            async with asyncio.timeout(GIVE_UP_SECONDS):
                sent = [
                    await self._send(self._producer, partition, records)
                    for partition, records in batches.items()
                ]
                answers = await asyncio.gather(
                    *(ack for acks in sent for ack in acks), return_exceptions=True
                )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise LogUnavailableError(str(answer)) from answer
        self._usable = True

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_producer(producer, deliver=self._usable)

    async def _send(
        self, producer: AIOKafkaProducer, partition: TopicPartition, records: Sequence[NewRecord]
    ) -> list["asyncio.Future[Any]"]:
        if partition.partition not in await producer.partitions_for(partition.topic):
            raise LogUnavailableError(f"there is no partition {partition}")
        return [
            await producer.send_batch(batch, partition.topic, partition=partition.partition)
            for batch in filled(producer, records)
        ]


def filled(producer: AIOKafkaProducer, records: Sequence[NewRecord]) -> Iterator[Any]:
    """The records in aiokafka's batch builders, a new one whenever one is full."""
    if not records:
        return
    batch = producer.create_batch()
    for record in records:
        fields = {
            "timestamp": None if record.timestamp is None else milliseconds(record.timestamp),
            "key": record.key,
            "value": record.value,
            "headers": list(record.headers),
        }
        if batch.append(**fields) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(**fields)
    yield batch
