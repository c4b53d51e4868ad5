"""One partition's way through a consumer: a buffer, a task that takes batches from it, and its halt."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

import structlog

from fairloop import telemetry
from fairloop.batch import Attempt, Outcome, apply_batch
from fairloop.db import Database, is_transient
from fairloop.log.port import TopicPartition
from fairloop.poison import TRIES, Breaker, Reject, TooManyParkedError, describe
from fairloop.receipts import HaltError, Position
from fairloop.service import Handlers
from fairloop.tracing import Tracing
from fairloop.waiting import Backoff, rest, wait_for_event
from fairloop.wire import Delivery

log = structlog.get_logger()

MAX_BATCH = 2000
FULL = 2 * MAX_BATCH
"""A lane with this many records waiting is paused until it has worked half of them off."""


class _Pauses:
    """Between the tries of one batch: short for what heals by itself, about ten seconds in all for what may not."""

    def __init__(self) -> None:
        self.transient = Backoff()
        self.unknown = Backoff(first=0.8)


class Lane:
    """Applies one partition's records, batch by batch; the next records are fetched and decoded meanwhile."""

    def __init__(
        self,
        *,
        service: str,
        partition: TopicPartition,
        db: Database,
        handlers: Handlers,
        next_offset: int,
        on_halt: Callable[[TopicPartition, str], None],
        on_room: Callable[[TopicPartition], None],
        tracing: Tracing | None = None,
    ) -> None:
        self.service = service
        self.partition = partition
        self._names = (service, partition.topic, str(partition.partition))
        self.db = db
        self.handlers = handlers
        self._tracing = tracing
        self.next_offset = next_offset
        self.halted = False
        self.retrying = False
        self.progress_at = time.monotonic()
        self._on_halt = on_halt
        self._on_room = on_room
        self._waiting: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._breaker = Breaker()
        self._unblocked_at: Position | None = None
        self._full = False
        self._halted_before: datetime | None = None
        self._task = asyncio.create_task(self._run(), name=f"lane {partition.topic}/{partition.partition}")

    def put(self, deliveries: Sequence[Delivery]) -> bool:
        """Add records; False when the lane wants no more for now."""
        if self.halted or self._closing.is_set():
            return False
        self._waiting.extend(deliveries)
        self._wake.set()
        self._full = len(self._waiting) >= FULL
        return not self._full

    def is_stuck(self, seconds: float) -> bool:
        """Is neither halted nor retrying, and has not moved for so long."""
        excused = self.halted or self.retrying
        return not excused and time.monotonic() - self.progress_at > seconds

    def oldest(self) -> datetime | None:
        """When the first record that is here and not applied was appended, also of those given up by a halt."""
        return self._waiting[0].record.timestamp if self._waiting else self._halted_before

    def failure(self) -> BaseException | None:
        """What ended the lane's task, if anything unexpected did."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def close(self, patience: float) -> None:
        """Stop taking batches and wait for the running one. A commit on its way is never cancelled.

        A batch that outlives `patience` goes on by itself: the position's lock keeps it apart from the next owner.
        """
        self._closing.set()
        self._wake.set()
        await asyncio.wait([self._task], timeout=patience)

    async def _run(self) -> None:
        while not self._closing.is_set():
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and not self._closing.is_set() and not self.halted:
                batch = list(islice(self._waiting, MAX_BATCH))
                began = time.monotonic()
                if not await self._take(batch):
                    return
                for _ in batch:
                    self._waiting.popleft()
                if self._full and len(self._waiting) <= FULL // 2:
                    self._full = False
                    self._on_room(self.partition)
                await wait_for_event(self._closing, rest(len(batch), time.monotonic() - began))

    async def _take(self, batch: Sequence[Delivery]) -> bool:
        """Apply one batch, however long it takes; False when the lane was closed or halted instead."""
        processing = None if self._tracing is None else self._tracing.processing(batch)
        attempt = Attempt(self._breaker.copy(), self._unblocked_at, processing)
        began = time.monotonic()
        backoff = _Pauses()
        while not self._closing.is_set():
            attempt.breaker = self._breaker.copy()
            try:
                async with self.db.begin() as session:
                    outcome = await apply_batch(session, self.partition, batch, self.handlers, attempt)
            except (HaltError, TooManyParkedError) as halt:
                self.halt(str(halt), broken=isinstance(halt, TooManyParkedError))
                if processing is not None:
                    processing.end("halted")
                return False
            except Exception as error:
                await self._before_next_try(error, attempt, backoff)
            else:
                self._took(batch, outcome, attempt)
                telemetry.BATCH_SECONDS.labels(*self._names[:2]).observe(time.monotonic() - began)
                if processing is not None:
                    processing.end()
                return True
        return False

    async def _before_next_try(self, error: Exception, attempt: Attempt, backoff: _Pauses) -> None:
        self.retrying = True
        topic, part = self.partition
        if isinstance(error, Reject) and not attempt.careful:
            attempt.careful = True
            return
        if not is_transient(error):
            attempt.tries += 1
            attempt.careful = attempt.careful or attempt.tries >= TRIES
        log.warning(
            "batch_failed",
            topic=topic,
            partition=part,
            transient=is_transient(error),
            tries=attempt.tries,
            error=describe(error),
        )
        if is_transient(error):
            await wait_for_event(self._closing, backoff.transient.next())
        elif attempt.tries != TRIES:  # then it is parked by the next try: nothing to wait for
            await wait_for_event(self._closing, backoff.unknown.next())

    def _took(self, batch: Sequence[Delivery], outcome: Outcome, attempt: Attempt) -> None:
        self._breaker = attempt.breaker
        self._unblocked_at = outcome.unblocked_at
        self.retrying = False
        self.progress_at = time.monotonic()
        self.next_offset = max(self.next_offset, batch[-1].record.offset + 1)
        telemetry.BATCH_EVENTS.labels(*self._names[:2]).observe(len(batch))
        for name, count in (
            ("applied", outcome.applied),
            ("parked", outcome.parked),
            ("repeated", outcome.repeated),
        ):
            if count:
                telemetry.EVENTS.labels(self.service, self.partition.topic, name).inc(count)
        if outcome.parked:
            log.error(
                "events_parked",
                topic=self.partition.topic,
                partition=self.partition.partition,
                count=outcome.parked,
            )

    def halt(self, reason: str, *, broken: bool = False) -> None:
        """Stop for good: going on would skip or repeat something, or (`broken`) too much fails."""
        self.halted = True
        self._halted_before = self.oldest()
        self._waiting.clear()
        telemetry.HALTED.labels(*self._names).set(1)
        telemetry.BREAKER.labels(*self._names).set(broken)
        self._on_halt(self.partition, reason)
