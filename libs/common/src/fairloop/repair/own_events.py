"""A service's own events as the log has them: after a restore the log knows more than the database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from fairloop.events import TOPICS
from fairloop.log.port import Log, Record, TopicPartition
from fairloop.published import Published
from fairloop.wire import Decoder

PAGE = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a partition, in their order. `numbers`: (number, event id) of those a relay sent."""

    events: list[Published]
    numbers: list[tuple[int, bytes]]
    unreadable: int


async def records_of(event_log: Log, partition: TopicPartition) -> AsyncIterator[list[Record]]:
    """Everything the log keeps of a partition, a page at a time."""
    offset, end = (await event_log.bounds([partition]))[partition]
    while offset < end:
        records = list(await event_log.read(partition, offset, max_records=PAGE))
        if not records:
            return
        yield records
        offset = records[-1].offset + 1


async def pages_of(event_log: Log, partition: TopicPartition) -> AsyncIterator[Page]:
    """The same, decoded as the events they are."""
    decode = Decoder(set(TOPICS[partition.topic].types))
    async for records in records_of(event_log, partition):
        read = [(record, decode(record)) for record in records]
        events = [Published(one.data, _sent_at(record)) for record, one in read if one.data is not None]
        numbers = [(one.pseq, one.event_id) for _, one in read if one.pseq is not None]
        yield Page(events, numbers, unreadable=len(read) - len(events))


def _sent_at(record: Record) -> datetime:
    told = dict(record.headers).get("ce_time")
    return datetime.fromisoformat(told.decode()) if told else record.timestamp
