"""The consumer of one service: takes events from the log, exactly once in effect.

The truth is `consumer_pos` in the service's own database, moved in the transaction of the effects; offsets in the
log only show others how far we are. A halt stops one partition, turns the worker's readiness red and says why; it
never skips.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from fairloop import telemetry
from fairloop.db import Database, is_transient
from fairloop.events import topics_of
from fairloop.lanes import MAX_BATCH, Lane
from fairloop.log.port import Log, LogUnavailableError, Subscription, TopicPartition
from fairloop.receipts import read_positions
from fairloop.service import Handlers
from fairloop.tracing import Tracing
from fairloop.waiting import Backoff, beside, wait_for_event
from fairloop.web.health import Health
from fairloop.wire import Decoder

log = structlog.get_logger()

_FETCH_SECONDS = 0.5
_COMMIT_SECONDS = 1.0
_WATCH_SECONDS = 5.0
_STUCK_SECONDS = 60.0
_REVOKE_PATIENCE = 5.0


class StuckError(Exception):
    """Records wait and nothing moves: end the process, its supervisor starts a new one."""


class Consumer:
    """Runs as one member of the service's consumer group."""

    def __init__(
        self,
        *,
        service: str,
        db: Database,
        event_log: Log,
        handlers: Handlers,
        health: Health,
        tracing: Tracing | None = None,
    ) -> None:
        self.service = service
        self.db = db
        self.log = event_log
        self.handlers = handlers
        self.health = health
        self.tracing = tracing
        self.topics = [topic.name for topic in topics_of(set(handlers))]
        self._decode = Decoder(set(handlers))
        self._lanes: dict[TopicPartition, Lane] = {}
        self._unstarted: set[TopicPartition] = set()
        self._told: dict[TopicPartition, int] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until told to stop; lives through an absent log and an absent database."""
        backoff = Backoff(most=5.0)
        while not stopping.is_set():
            try:
                subscription = await self.log.subscribe(
                    self.service, self.topics, on_assigned=self._assigned, on_revoked=self._revoked
                )
                try:
                    await self._consume(subscription, stopping, backoff)
                finally:
                    await self._revoked([*self._lanes, *self._unstarted])
                    await self._tell(subscription)
                    await subscription.close()
                    self._unstarted.clear()  # of what was assigned until then
            except LogUnavailableError as error:
                self.health.log_up = False
                log.warning("consumer_waits_for_log", error=str(error))
                await wait_for_event(stopping, backoff.next())

    async def _consume(self, subscription: Subscription, stopping: asyncio.Event, backoff: Backoff) -> None:
        async with beside(self._watch()) as check_watch:
            await self._take_turns(subscription, stopping, backoff, check_watch)

    async def _take_turns(
        self,
        subscription: Subscription,
        stopping: asyncio.Event,
        backoff: Backoff,
        check_watch: Callable[[], None],
    ) -> None:
        tell_at = 0.0
        while not stopping.is_set():
            check_watch()
            if self._unstarted:
                await self._start_lanes(subscription)
            batches = await subscription.fetch(max_records=MAX_BATCH, timeout=_FETCH_SECONDS)
            self.health.log_up = True
            backoff.reset()
            for partition, records in batches.items():
                lane = self._lanes.get(partition)
                if lane is not None and not lane.put([self._decode(record) for record in records]):
                    subscription.pause(partition)
            now = time.monotonic()
            if now >= tell_at:
                tell_at = now + _COMMIT_SECONDS
                await self._tell(subscription)

    async def _assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """All stay paused for now: where they start needs the database, which may take its time."""
        self._unstarted.update(partitions)
        return {}

    async def _revoked(self, partitions: Sequence[TopicPartition]) -> None:
        lost = [lane for partition in partitions if (lane := self._lanes.pop(partition, None)) is not None]
        self._unstarted.difference_update(partitions)
        await asyncio.gather(*(lane.close(_REVOKE_PATIENCE) for lane in lost))
        for partition in partitions:
            self._told.pop(partition, None)
            self.health.halted.pop(_name(partition), None)
            self._gauge_nothing(partition)

    async def _start_lanes(self, subscription: Subscription) -> None:
        """Begin the newly assigned partitions where our own database says. Leaves them for later without one."""
        partitions = sorted(self._unstarted)
        try:
            async with self.db.begin() as session:
                positions = await read_positions(session, partitions)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("consumer_waits_for_database", error=type(error).__name__)
            return
        bounds = await self.log.bounds(partitions)
        for partition in sorted(
            self._unstarted.intersection(partitions)
        ):  # some may have been revoked meanwhile
            first, end = bounds[partition]
            position = positions.get(partition)
            start = first if position is None else position.next_offset
            self._unstarted.discard(partition)
            lane = self._lanes[partition] = Lane(
                service=self.service,
                partition=partition,
                db=self.db,
                handlers=self.handlers,
                next_offset=start,
                on_halt=self._halted,
                on_room=subscription.resume,
                tracing=self.tracing,
            )
            if end < start:
                lane.halt(f"the log was rewound: it ends at offset {end}, this consumer is at {start}")
            elif first > start:
                lane.halt(
                    f"history is missing: the log begins at offset {first}, this consumer is at {start}"
                )
            else:
                self._gauge_nothing(partition)
                subscription.seek(partition, start)
                subscription.resume(partition)

    def _halted(self, partition: TopicPartition, reason: str) -> None:
        self.health.halted[_name(partition)] = reason
        log.error("partition_halted", topic=partition.topic, partition=partition.partition, reason=reason)

    def _gauge_nothing(self, partition: TopicPartition) -> None:
        """Nothing is wrong with a partition that begins, or is another worker's from now on."""
        for gauge in (telemetry.LAG, telemetry.OLDEST, telemetry.HALTED, telemetry.BREAKER):
            gauge.labels(self.service, partition.topic, str(partition.partition)).set(0)

    def _gauge_lag(self, partition: TopicPartition, lag: int, oldest: datetime | None) -> None:
        labels = (self.service, partition.topic, str(partition.partition))
        telemetry.LAG.labels(*labels).set(lag)
        age = (datetime.now(UTC) - oldest).total_seconds() if lag > 0 and oldest is not None else 0.0
        telemetry.OLDEST.labels(*labels).set(max(0.0, age))

    async def _tell(self, subscription: Subscription) -> None:
        """Commit offsets to the log for others to see; the truth is in our own database."""
        news = {
            partition: lane.next_offset
            for partition, lane in self._lanes.items()
            if self._told.get(partition) != lane.next_offset
        }
        if news:
            self._told.update(news)
            await subscription.commit(news)

    async def _watch(self) -> None:
        """Beside the consuming, so that a slow answer of the log delays no event."""
        while True:
            await self._look()
            await asyncio.sleep(_WATCH_SECONDS)

    async def _look(self) -> None:
        """Lag for the metrics; a log that lost its end; and no worker that only looks alive."""
        for lane in self._lanes.values():
            if (failure := lane.failure()) is not None:
                raise failure
        before = {partition: lane.next_offset for partition, lane in self._lanes.items()}
        for partition, (_, end) in (await self.log.bounds(list(before))).items():
            watched = self._lanes.get(partition)
            if watched is None:
                continue
            at = before[partition]
            if end < at and not watched.halted:
                watched.halt(f"the log was rewound: it ends at offset {end}, this consumer is at {at}")
            lag = end - watched.next_offset
            self._gauge_lag(partition, lag, watched.oldest())
            if lag > 0 and watched.is_stuck(_STUCK_SECONDS):
                raise StuckError(f"{_name(partition)}: {lag} records wait and nothing moves")
            if lag <= 0:
                watched.progress_at = time.monotonic()


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
