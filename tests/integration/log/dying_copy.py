"""`python -m tests.integration.log.dying_copy SOURCE TARGET READS`: carries one log over to the other and is killed.

By itself, with SIGKILL, before the given read of the source.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from fairloop.log import open_log
from fairloop.log.moving import carry_over
from fairloop.log.port import Record, TopicPartition
from fairloop.log.postgres import PostgresLog


class Dying(PostgresLog):
    """Its last read kills the process."""

    def __init__(self, url: str, reads: int) -> None:
        super().__init__(url)
        self._left = reads

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> Sequence[Record]:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().read(partition, offset, max_records=max_records)


async def main(source_url: str, target_url: str, reads: str) -> None:
    async with Dying(source_url, int(reads)) as source, open_log(target_url) as target:
        await carry_over(source, target, await source.all_topics())


asyncio.run(main(*sys.argv[1:]))
