"""A consumer brought to the end of the log: by reading on where it can, over a break in the log where it cannot."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from fairloop.batch import Attempt, apply_batch
from fairloop.db import Database, is_transient, sql
from fairloop.log.port import Log, Record, TopicPartition
from fairloop.poison import TRIES, Breaker
from fairloop.receipts import HaltError, Position, lock_position, read_positions
from fairloop.repair.own_events import PAGE, records_of
from fairloop.repair.partitions import consumed
from fairloop.service import Handlers, Runtime, Service
from fairloop.waiting import Backoff
from fairloop.wire import Decoder, pseq_of

PATIENCE = timedelta(seconds=60)
_TRANSIENT_TRIES = 20


class NothingToReadError(Exception):
    """The log of a topic is empty although events were read from it: its producer has to publish first."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A partition whose reader went over a break in the log, and why it had to."""

    partition: TopicPartition
    reason: str


class Stretch:
    """The end of a partition from where on its numbers have no break; `top` is the highest number before or in it.

    A number that stands for two events ends it, and until a higher number than any comes nothing can be read.
    """

    def __init__(self) -> None:
        self.top = 0
        self.start = Position(0, 0)
        self._ids: list[bytes] = []
        self._sound = True

    def add(self, record: Record) -> None:
        """The next record; what no relay sent has no number and breaks nothing."""
        number = pseq_of(record)
        if number is None:
            return
        id = dict(record.headers)["ce_id"]
        if number > self.top:
            if number > self.top + 1 or not self._sound:
                self.start, self._ids, self._sound = Position(record.offset, number - 1), [], True
            self.top = number
            self._ids.append(id)
        elif not self._is_repeat(number, id):
            self._sound = False
        if not self._sound:
            self.start = Position(record.offset + 1, self.top)

    def _is_repeat(self, number: int, id: bytes) -> bool:
        place = number - self.start.hw_pseq - 1
        return self._sound and place >= 0 and self._ids[place] == id


async def read_on(service: Service, runtime: Runtime, event_log: Log) -> tuple[int, list[Jump]]:
    """Take in everything up to the log's end; how many records that were, and where it had to jump.

    Works beside the service's own consumer: the position's lock lets one of them apply an event.
    """
    handlers = service.handlers(runtime.settings, runtime.clock)
    read, jumps = 0, list[Jump]()
    for partition in consumed(service, runtime):
        try:
            read += await _to_the_end(runtime.db, event_log, partition, handlers)
        except HaltError as halt:
            jumps.append(Jump(partition, str(halt)))
            await _jump(runtime.db, event_log, partition)
            read += await _to_the_end(runtime.db, event_log, partition, handlers)
    return read, jumps


async def position_of(db: Database, event_log: Log, partition: TopicPartition) -> Position:
    """Where the consumer stands. Raises HaltError when the log does not go on from there."""
    first, end = (await event_log.bounds([partition]))[partition]
    async with db.begin() as session:
        held = (await read_positions(session, [partition])).get(partition)
    position = held or Position(first, 0)
    if end < position.next_offset:
        raise HaltError(
            f"the log was rewound: it ends at offset {end}, this consumer is at {position.next_offset}"
        )
    if first > position.next_offset:
        raise HaltError(
            f"history is missing: the log begins at offset {first}, this consumer is at {position.next_offset}"
        )
    if first < position.next_offset:  # a log made anew may by now be as long as the old one was
        (before,) = await event_log.read(partition, position.next_offset - 1, max_records=1)
        if (pseq_of(before) or 0) > position.hw_pseq:
            raise HaltError(
                f"the log was made anew: number {pseq_of(before)} stands before offset {position.next_offset},"
                f" this consumer has taken up to {position.hw_pseq}"
            )
    return position


async def _to_the_end(db: Database, event_log: Log, partition: TopicPartition, handlers: Handlers) -> int:
    decode = Decoder(set(handlers))
    backoff, failures, read = Backoff(), 0, 0
    while True:
        position = await position_of(db, event_log, partition)
        records = await event_log.read(partition, position.next_offset, max_records=PAGE)
        if not records:
            return read
        attempt = Attempt(Breaker(), tries=TRIES, careful=True)
        try:
            async with db.begin() as session:
                await apply_batch(session, partition, [decode(one) for one in records], handlers, attempt)
        except Exception as error:
            failures += 1
            if not is_transient(error) or failures == _TRANSIENT_TRIES:
                raise
            await asyncio.sleep(backoff.next())
        else:
            read += len(records)


async def _jump(db: Database, event_log: Log, partition: TopicPartition) -> None:
    """To where the numbers run on without a break to the log's end; what lies before is to be published again."""
    start = await _last_stretch(event_log, partition)
    async with db.begin() as session:
        await lock_position(session, partition)
        await sql(
            session,
            "UPDATE consumer_pos SET next_offset = $3, hw_pseq = $4 WHERE topic = $1 AND part = $2",
            *partition,
            start.next_offset,
            start.hw_pseq,
        )
        await sql(session, "DELETE FROM receipt WHERE topic = $1 AND part = $2", *partition)


async def _last_stretch(event_log: Log, partition: TopicPartition) -> Position:
    """Raises NothingToReadError when the log stays empty."""
    deadline = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
    while True:
        stretch = Stretch()
        async for records in records_of(event_log, partition):
            for record in records:
                stretch.add(record)
        if stretch.top:
            return stretch.start
        if asyncio.get_running_loop().time() > deadline:
            raise NothingToReadError(f"{partition.topic}/{partition.partition} is empty")
        await asyncio.sleep(0.5)
