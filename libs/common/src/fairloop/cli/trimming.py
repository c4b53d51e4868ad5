"""Shortening the log: never beyond the slowest reader, and never what is younger than the oldest backup."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fairloop.log import open_log
from fairloop.log.port import Log, TopicPartition


def trim_log(url: str, answers: Iterable[Mapping[str, Any]], *, days: int) -> list[tuple[str, int, int]]:
    """`answers`: what each service's `repair plan` said. Returns topic, partition, records deleted."""
    reads = [
        (TopicPartition(read["topic"], read["partition"]), read["next_offset"])
        for answer in answers
        for read in answer["reads"]
    ]
    return asyncio.run(_trim(url, reads, datetime.now(UTC) - timedelta(days=days)))


async def _trim(
    url: str, reads: Sequence[tuple[TopicPartition, int]], before: datetime
) -> list[tuple[str, int, int]]:
    """A topic that no service reads is kept for those outside."""
    slowest: dict[TopicPartition, int] = {}
    for partition, offset in reads:
        slowest[partition] = min(offset, slowest.get(partition, offset))
    done = []
    async with open_log(url) as event_log:
        bounds = await event_log.bounds(list(slowest))
        for partition, offset in sorted(slowest.items()):
            first = bounds[partition][0]
            keep_from = await first_since(
                event_log, partition, first, min(offset, bounds[partition][1] - 1), before
            )
            if keep_from > first:
                await event_log.truncate({partition: keep_from})
                done.append((*partition, keep_from - first))
    return done


async def first_since(event_log: Log, partition: TopicPartition, low: int, high: int, since: datetime) -> int:
    """The offset in [low, high] of the first record that is not older; times of records do not run backwards."""
    while low < high:
        middle = (low + high) // 2
        (record,) = await event_log.read(partition, middle, max_records=1)
        if record.timestamp < since:
            low = middle + 1
        else:
            high = middle
    return low
