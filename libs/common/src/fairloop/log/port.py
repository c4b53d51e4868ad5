"""The event log as the runtime sees it: topics, partitions, offsets, consumer groups.

Two adapters keep this contract, `kafka.py` (Apache Kafka) and `postgres.py` (the embedded log); one conformance
suite runs against both. Offsets of a partition start at 0 and have no holes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import msgspec


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class LogUnavailableError(Exception):
    """The log could not be reached or did not acknowledge; trying again later may help."""


class TopicMismatchError(Exception):
    """A topic is missing, or has another number of partitions than the catalogue says."""


class LogMovedError(Exception):
    """All that was in this log is in another one now; the message says where. Nothing may be appended here."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append. Without a `timestamp` it gets the time at which it is appended."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: datetime | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as it stands in the log; a Struct because hundreds of thousands are made in a second."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp: datetime


def milliseconds(timestamp: datetime) -> int:
    """Since 1970, as exactly as every log keeps it."""
    return (timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


Assigned = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Told which partitions this worker got; answers the offset to start each at. A partition it leaves out stays
paused. No record of a newly assigned partition is handed out before the answer.

Both callbacks run beside `fetch`, the first ones maybe before `subscribe` has returned, none once `close` was called.
An error that one raises comes out of the next fetch and of every later one: close the subscription then."""

Revoked = Callable[[Sequence[TopicPartition]], Awaitable[None]]
"""Told which partitions this worker loses, before another worker gets them. It should answer within 5 s."""


class Producer(Protocol):
    """Appends. Any error makes it unusable: close it and open another."""

    async def append(self, batches: Mapping[TopicPartition, Sequence[NewRecord]]) -> None:
        """Append each partition's records in their order and wait until all are durable.

        Raises LogUnavailableError when any may not be; some may still be in the log then.
        """

    async def close(self) -> None: ...


class Subscription(Protocol):
    """One worker's place in a consumer group."""

    async def fetch(self, *, max_records: int, timeout: float) -> Mapping[TopicPartition, Sequence[Record]]:
        """The next records of the assigned, unpaused partitions, in offset order.

        Waits up to `timeout` seconds and wakes as soon as something is appended; at most `max_records` in all.
        Group changes are handled inside. Raises LogUnavailableError.
        """

    def assignment(self) -> frozenset[TopicPartition]: ...

    def pause(self, partition: TopicPartition) -> None: ...

    def resume(self, partition: TopicPartition) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the log how far the group is (for others to see lag by); best effort, never what truth rests on."""

    async def close(self) -> None:
        """Leave the group; the others take over at once. From now on nothing is assigned or revoked."""


class Log(Protocol):
    """A connection to an event log."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Create the missing topics. Raises TopicMismatchError when one exists with another partition count."""

    async def check_topics(self, partitions: Mapping[str, int]) -> None:
        """Raises TopicMismatchError unless every topic exists with this many partitions."""

    async def producer(self) -> Producer: ...

    async def subscribe(
        self, group: str, topics: Sequence[str], *, on_assigned: Assigned, on_revoked: Revoked
    ) -> Subscription: ...

    async def bounds(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """(first offset kept, offset of the next record to come) of each partition."""

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> Sequence[Record]:
        """Up to `max_records` records from `offset` on, without a group; empty at the end."""

    async def committed(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """The offsets the group has committed; partitions without one are left out."""

    async def truncate(self, before: Mapping[TopicPartition, int]) -> None:
        """Delete the records below these offsets (retention by the operator)."""
