"""One log carried over to another: the same partitions, offsets, keys, values, headers and times.

Since the offsets stay, so does every position that a consumer keeps in its own database: none has to be translated.
Kafka counts from 0, so where the first records are gone the target gets empty ones in their place, which are deleted
before the first real one comes. The source is only read. A copy that was cut short is continued. Whoever calls sees
to it that nobody appends to either log meanwhile.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from fairloop.log.port import Log, NewRecord, Producer, Record, TopicPartition, milliseconds

PAGE = 2000
_FILLED_AT_ONCE = 20_000
_FILLER = NewRecord(b"", b"")
"""Every record of a relay has headers."""

Bounds = tuple[int, int]


class UnlikeError(Exception):
    """The two logs differ; the message says where."""


async def carry_over(source: Log, target: Log, topics: Mapping[str, int]) -> None:
    """Append to the target what it lacks of the source; `topics` → partitions, made there when they are missing.

    Raises UnlikeError, with nothing written, when the target holds anything but the beginning of the source.
    """
    await target.create_topics(topics)
    partitions = partitions_of(topics)
    wanted, held = await source.bounds(partitions), await target.bounds(partitions)
    for partition in partitions:
        await _check_beginning(source, target, partition, wanted[partition], held[partition])
    producer = await target.producer()
    try:
        for partition in partitions:
            first, end = wanted[partition]
            begin, upto = held[partition]
            await _fill(producer, partition, upto, first)
            if begin < first:
                await target.truncate({partition: first})
            async for records in _pages(source, partition, max(upto, first), end):
                await producer.append({partition: [_again(record) for record in records]})
    finally:
        await producer.close()


async def check_alike(source: Log, target: Log, topics: Mapping[str, int]) -> dict[str, int]:
    """Compare the two, record by record; topic → records. Raises UnlikeError."""
    partitions = partitions_of(topics)
    wanted, held = await source.bounds(partitions), await target.bounds(partitions)
    counts = dict.fromkeys(topics, 0)
    for partition in partitions:
        if held[partition] != wanted[partition]:
            raise UnlikeError(
                f"{_name(partition)}: offsets {_span(held[partition])} instead of {_span(wanted[partition])}"
            )
        await _compare(source, target, partition, *wanted[partition])
        counts[partition.topic] += wanted[partition][1] - wanted[partition][0]
    return counts


def partitions_of(topics: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, part) for topic, count in topics.items() for part in range(count)]


async def _check_beginning(
    source: Log, target: Log, partition: TopicPartition, wanted: Bounds, held: Bounds
) -> None:
    """What the target holds is what an earlier try has left there."""
    (first, end), (begin, upto) = wanted, held
    if begin > first or upto > end:
        raise UnlikeError(f"{_name(partition)}: it holds offsets {_span(held)}, {_span(wanted)} are to come")
    async for records in _pages(target, partition, begin, min(first, upto)):
        for record in records:
            if record.key or record.value or record.headers:
                raise UnlikeError(f"{_name(partition)}: offset {record.offset} is not from this log")
    await _compare(source, target, partition, first, upto)


async def _compare(source: Log, target: Log, partition: TopicPartition, start: int, end: int) -> None:
    async for ours in _pages(source, partition, start, end):
        offset, found = ours[0].offset, dict[int, Record]()
        async for theirs in _pages(target, partition, offset, offset + len(ours)):
            found.update((record.offset, record) for record in theirs)
        for record in ours:
            other = found.get(record.offset)
            if other is None or _content(record) != _content(other):
                raise UnlikeError(f"{_name(partition)}: offset {record.offset} is not from this log")


async def _fill(producer: Producer, partition: TopicPartition, upto: int, first: int) -> None:
    for begin in range(upto, first, _FILLED_AT_ONCE):
        await producer.append({partition: [_FILLER] * min(_FILLED_AT_ONCE, first - begin)})


async def _pages(
    log: Log, partition: TopicPartition, start: int, end: int
) -> AsyncIterator[Sequence[Record]]:
    """The records of [start, end). Raises UnlikeError when one is missing."""
    while start < end:
        records = await log.read(partition, start, max_records=min(PAGE, end - start))
        if not records or records[0].offset != start:
            raise UnlikeError(f"{_name(partition)}: offset {start} cannot be read")
        yield records
        start = records[-1].offset + 1


def _again(record: Record) -> NewRecord:
    return NewRecord(record.key, record.value, record.headers, record.timestamp)


def _content(record: Record) -> tuple[object, ...]:
    return record.key, record.value, record.headers, milliseconds(record.timestamp)


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _span(bounds: Bounds) -> str:
    return f"{bounds[0]} to {bounds[1]}"
