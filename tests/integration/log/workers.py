"""Workers of a consumer group for tests: in this process, and in a process of their own that can be killed."""

import asyncio
import json
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fairloop.log.port import Log, NewRecord, Subscription, TopicPartition

WITHIN = 60.0
"""Seconds that a test waits for what must happen; far more than it ever takes."""


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fails after `WITHIN`."""
    async with asyncio.timeout(WITHIN):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def numbered(first: int, count: int) -> list[NewRecord]:
    """Records whose values count from `first`."""
    return [NewRecord(b"key", str(number).encode()) for number in range(first, first + count)]


async def append(log: Log, batches: Mapping[TopicPartition, Sequence[NewRecord]]) -> None:
    producer = await log.producer()
    try:
        await producer.append(batches)
    finally:
        await producer.close()


@asynccontextmanager
async def subscribed(
    log: Log, group: str, topic: str, start: Callable[[TopicPartition], int | None] = lambda _: 0
) -> AsyncIterator[Subscription]:
    """A subscription that has its partitions; `start` says where to begin each (None: left paused)."""
    assigned = asyncio.Event()

    async def on_assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        assigned.set()
        return {partition: offset for partition in partitions if (offset := start(partition)) is not None}

    async def on_revoked(_: Sequence[TopicPartition]) -> None: ...

    subscription = await log.subscribe(group, [topic], on_assigned=on_assigned, on_revoked=on_revoked)
    try:
        await eventually(lambda: assigned.is_set() and bool(subscription.assignment()))
        yield subscription
    finally:
        await subscription.close()


async def fetch_all(subscription: Subscription, count: int) -> dict[TopicPartition, list[bytes]]:
    """The values of the next `count` records, by partition."""
    values: dict[TopicPartition, list[bytes]] = defaultdict(list)
    async with asyncio.timeout(WITHIN):
        while sum(map(len, values.values())) < count:
            for partition, records in (await subscription.fetch(max_records=500, timeout=1)).items():
                values[partition] += [record.value for record in records]
    return dict(values)


@dataclass
class Journal:
    """What happened to one group, in order, as all of its workers tell it; it also plays their position store."""

    entries: list[tuple[str, str, TopicPartition]] = field(default_factory=list)
    handed: dict[TopicPartition, list[int]] = field(default_factory=lambda: defaultdict(list))
    owner: dict[TopicPartition, str] = field(default_factory=dict)


class Worker:
    """Joins the group, starts where the journal says, and notes every record until it loses the partition."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.journal = journal
        self._stopping = False
        self._subscription: Subscription | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self, log: Log, group: str, topic: str) -> None:
        self._subscription = await log.subscribe(
            group, [topic], on_assigned=self._on_assigned, on_revoked=self._on_revoked
        )
        self._running = asyncio.create_task(self._consume(self._subscription))

    async def stop(self) -> None:
        """Leave the group properly."""
        assert self._subscription is not None
        assert self._running is not None
        self._stopping = True
        await self._running
        self._note(
            "closed", [partition for partition, owner in self.journal.owner.items() if owner == self.name]
        )
        await self._subscription.close()

    @property
    def partitions(self) -> set[TopicPartition]:
        return {partition for partition, owner in self.journal.owner.items() if owner == self.name}

    async def _consume(self, subscription: Subscription) -> None:
        while not self._stopping:
            for partition, records in (await subscription.fetch(max_records=7, timeout=0.5)).items():
                if self.journal.owner.get(partition) == self.name:
                    self.journal.handed[partition] += [record.offset for record in records]

    async def _on_assigned(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        self._note("assigned", partitions)
        return {partition: len(self.journal.handed[partition]) for partition in partitions}

    async def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._note("revoked", partitions)

    def _note(self, kind: str, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self.journal.entries.append((kind, self.name, partition))
            if kind == "assigned":
                self.journal.owner[partition] = self.name
            else:
                del self.journal.owner[partition]


class WorkerProcess:
    """A worker in a process of its own: it starts at the group's committed offsets and commits after each fetch."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(self._read())
        self.partitions: set[TopicPartition] = set()
        self.revoked: set[TopicPartition] = set()
        self.fetched: dict[TopicPartition, list[int]] = defaultdict(list)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            kind, *told = json.loads(line)
            if kind == "fetched":
                topic, part, offsets = told
                self.fetched[TopicPartition(topic, part)] += offsets
            elif kind == "assigned":
                self.partitions |= {TopicPartition(*partition) for partition in told}
            else:
                self.revoked |= {TopicPartition(*partition) for partition in told}
                self.partitions -= {TopicPartition(*partition) for partition in told}

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def worker_process(url: str, group: str, topic: str) -> AsyncIterator[WorkerProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.log.worker_process",
        url,
        group,
        topic,
        stdout=asyncio.subprocess.PIPE,
    )
    worker = WorkerProcess(process)
    try:
        yield worker
    finally:
        await worker.end()


def entries_of(journal: Journal, partition: TopicPartition) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name, other in journal.entries if other == partition]
