"""The way to the brokers: what every client is made with, and what its errors mean."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.structs import ConsumerRecord

from fairloop.log.kafka_address import KafkaAddress
from fairloop.log.port import LogUnavailableError, Record

ASK_MS = 10_000
"""How long a single question to a broker may take."""
CLOSE_SECONDS = 5.0
WRITTEN_TO_A_LOST_CONNECTION = "the handler is closed"
"""What uvloop says when aiokafka writes to a connection in the moment it is lost."""


def connection(url: str) -> dict[str, Any]:
    """The arguments of every client for a `kafka://` address (`fairloop.log.kafka_address`).

    Raises LogUnavailableError when its certificates cannot be read, ValueError for no such address.
    """
    with kafka_errors():
        return KafkaAddress.of(url).arguments()


@contextmanager
def kafka_errors() -> Iterator[None]:
    """Errors of the brokers or of the way to them become LogUnavailableError."""
    try:
        yield
    except TimeoutError as error:
        raise LogUnavailableError("the brokers do not answer") from error
    except (KafkaError, OSError) as error:
        raise LogUnavailableError(str(error)) from error
    except RuntimeError as error:
        if not str(error).endswith(WRITTEN_TO_A_LOST_CONNECTION):
            raise
        raise LogUnavailableError(str(error)) from error


class KafkaClient(Protocol):
    """What aiokafka's admin client, consumer and producer have in common."""

    async def start(self) -> None: ...


async def start(client: KafkaClient) -> None:
    """Begin to talk with the brokers. Who is cancelled meanwhile waits for it, CLOSE_SECONDS at most.

    aiokafka forgets the first connection of a start that is cancelled, and nobody could close it.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting}, timeout=CLOSE_SECONDS)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close all connections, whatever state the consumer is in.

    aiokafka's own stop may wait for absent brokers, and ends half-way when it cancels a fetch that is being retried.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if not stopping.done() or stopping.cancelled() or stopping.exception():
        stopping.cancel()
        await consumer._client.close()


async def stop_producer(producer: AIOKafkaProducer, *, deliver: bool) -> None:
    """Close all connections. With `deliver`, wait for what was sent; without, nothing more is sent from now on.

    aiokafka's own stop goes on retrying what it still has, while another producer may already be sending the same.
    """
    stopping = asyncio.create_task(producer.stop()) if deliver else None
    if stopping is not None:
        await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if stopping is None or not stopping.done():
        if producer._sender.sender_task is not None:
            producer._sender.sender_task.cancel()
        await producer.client.close()
        producer._message_accumulator.fail_all(ProducerClosed())
        await asyncio.wait({stopping or asyncio.create_task(producer.stop())}, timeout=CLOSE_SECONDS)


def record_from(message: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.key or b"",
        message.value or b"",
        tuple(message.headers),
        datetime.fromtimestamp(message.timestamp / 1000, UTC),
    )
