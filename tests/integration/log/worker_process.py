"""`python -m tests.integration.log.worker_process URL GROUP TOPIC`: tells on standard output what it is given.

What the log's client has to say goes to standard error.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence

import structlog

from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, TopicPartition


def tell(kind: str, *what: object) -> None:
    print(json.dumps([kind, *what]), flush=True)


async def main(url: str, group: str, topic: str) -> None:
    async with open_log(url) as log:

        async def on_assigned(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
            committed = await log.committed(group, partitions)
            tell("assigned", *partitions)
            return {partition: committed.get(partition, 0) for partition in partitions}

        async def on_revoked(partitions: Sequence[TopicPartition]) -> None:
            tell("revoked", *partitions)

        subscription = await log.subscribe(group, [topic], on_assigned=on_assigned, on_revoked=on_revoked)
        while True:
            try:
                batches = await subscription.fetch(max_records=5, timeout=0.5)
            except LogUnavailableError:
                await asyncio.sleep(0.1)
                continue
            for partition, records in batches.items():
                tell("fetched", *partition, [record.offset for record in records])
                await subscription.commit({partition: records[-1].offset + 1})


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main(*sys.argv[1:]))
