"""One worker's subscription to the embedded log: a task that keeps its share of the group, and fetching."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from fairloop.log.port import Assigned, LogUnavailableError, Record, Revoked, TopicPartition
from fairloop.log.postgres_link import Link
from fairloop.log.postgres_member import SILENT_SECONDS, Member
from fairloop.log.postgres_reader import read_batches
from fairloop.log.shares import share_of
from fairloop.waiting import wait_for_event

logger = structlog.get_logger()

POLL_SECONDS = 1.0
"""How often to look without having been notified, for records and for members."""

COMMIT = """
INSERT INTO group_offset (group_name, topic, part, next_offset, at)
SELECT $1, topic, part, next_offset, clock_timestamp()
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS new (topic, part, next_offset)
ON CONFLICT (group_name, topic, part) DO UPDATE SET next_offset = excluded.next_offset, at = excluded.at
"""


class CallbackError(Exception):
    """`on_assigned` or `on_revoked` raised the cause of this."""


class PostgresSubscription:
    def __init__(
        self, url: str, group: str, partitions: Mapping[str, int], on_assigned: Assigned, on_revoked: Revoked
    ) -> None:
        """`partitions` is the number of partitions of each topic subscribed to."""
        self._url = url
        self._group = group
        self._partitions = partitions
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._reader = Link(url, f"reader of {group}")
        self._member: Member | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._confirmed = 0.0  # when the share was last known to be ours, in the event loop's time
        self._unavailable: LogUnavailableError | None = None
        self._unavailable_told = False
        self._broken: BaseException | None = None
        self._closing = False
        self._positions: dict[
            TopicPartition, int | None
        ] = {}  # of what is assigned; None: no start was given
        self._paused: set[TopicPartition] = set()
        self._last_served: TopicPartition | None = None
        self._group_changed = asyncio.Event()
        self._records_wanted = asyncio.Event()

    async def open(self) -> None:
        """Join the group; partitions come by `on_assigned`. Raises LogUnavailableError."""
        self._member = await self._join()
        self._keeper = asyncio.create_task(self._keep_share())

    async def fetch(self, *, max_records: int, timeout: float) -> Mapping[TopicPartition, Sequence[Record]]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            self._raise_news()
            self._records_wanted.clear()
            starts = self._starts()
            if starts and (accepted := self._accept(starts, await self._read(starts, max_records))):
                return accepted
            remaining = deadline - loop.time()
            if remaining <= 0 and self._unavailable is not None:
                raise LogUnavailableError(str(self._unavailable)) from self._unavailable
            if remaining <= 0 or self._closing:
                return {}
            await wait_for_event(self._records_wanted, min(remaining, POLL_SECONDS))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._positions)

    def pause(self, partition: TopicPartition) -> None:
        if partition in self._positions:
            self._paused.add(partition)

    def resume(self, partition: TopicPartition) -> None:
        self._paused.discard(partition)
        self._records_wanted.set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._positions:
            self._positions[partition] = offset
            self._records_wanted.set()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            await self._reader.run(
                lambda connection: connection.execute(
                    COMMIT,
                    self._group,
                    [partition.topic for partition in offsets],
                    [partition.partition for partition in offsets],
                    list(offsets.values()),
                )
            )
        except LogUnavailableError as error:
            logger.info("offset_commit_failed", group=self._group, error=str(error))

    async def close(self) -> None:
        self._closing = True
        self._group_changed.set()
        self._records_wanted.set()
        if self._keeper is not None:
            await self._keeper
        if self._member is not None:
            await self._member.leave()
        self._positions.clear()
        await self._reader.close()

    def _raise_news(self) -> None:
        """A lost connection is told at once, then after each fetch that waited in vain: no caller may spin."""
        if self._broken is not None:
            raise self._broken
        if self._unavailable is not None and not self._unavailable_told:
            self._unavailable_told = True
            raise LogUnavailableError(str(self._unavailable)) from self._unavailable

    def _starts(self) -> dict[TopicPartition, int]:
        """Where to read each partition that may be read now; the one served last comes last."""
        starts = {
            partition: position
            for partition, position in sorted(self._positions.items())
            if position is not None and partition not in self._paused
        }
        last = self._last_served
        return dict(sorted(starts.items(), key=lambda item: last is not None and item[0] <= last))

    async def _read(
        self, starts: Mapping[TopicPartition, int], max_records: int
    ) -> dict[TopicPartition, list[Record]]:
        return await self._reader.run(lambda connection: read_batches(connection, starts, max_records))

    def _accept(
        self, starts: Mapping[TopicPartition, int], batches: Mapping[TopicPartition, list[Record]]
    ) -> dict[TopicPartition, Sequence[Record]]:
        """What may still be handed out: partitions may have been lost, paused or sought while the query ran."""
        if asyncio.get_running_loop().time() - self._confirmed > SILENT_SECONDS:
            self._group_changed.set()  # this process was stopped; others may have our partitions
            return {}
        accepted: dict[TopicPartition, Sequence[Record]] = {}
        for partition, records in batches.items():
            if self._positions.get(partition) == starts[partition] and partition not in self._paused:
                self._positions[partition] = records[-1].offset + 1
                self._last_served = partition
                accepted[partition] = records
        return accepted

    async def _keep_share(self) -> None:
        """Until closed, or a callback fails: hold exactly the partitions that are this member's share."""
        try:
            while not self._closing:
                self._group_changed.clear()
                try:
                    await self._rebalance()
                except LogUnavailableError as error:
                    self._drop_member()
                    self._unavailable = error
                    self._records_wanted.set()
                    await self._forget(set(self._positions))
                await wait_for_event(self._group_changed, POLL_SECONDS)
        except CallbackError as error:
            self._drop_member()
            self._broken = error.__cause__
            self._records_wanted.set()

    async def _rebalance(self) -> None:
        if self._member is None:
            self._member = await self._join()
        members = await self._member.members()
        self._confirmed = asyncio.get_running_loop().time()
        self._unavailable = None
        self._unavailable_told = False
        share = share_of(self._member.name, members, self._partitions)
        if lost := self._positions.keys() - share:
            await self._forget(lost)
            await self._member.unlock(lost)
        if missing := share - self._positions.keys():
            await self._take(await self._member.lock(missing))

    async def _take(self, gained: Sequence[TopicPartition]) -> None:
        if not gained or self._closing:  # leaving frees them
            return
        try:
            starts = await self._on_assigned(gained)
        except Exception as error:
            raise CallbackError from error
        self._paused.update(partition for partition in gained if partition not in starts)
        self._positions.update({partition: starts.get(partition) for partition in gained})
        self._records_wanted.set()

    async def _forget(self, lost: Collection[TopicPartition]) -> None:
        for partition in lost:
            del self._positions[partition]
            self._paused.discard(partition)
        try:
            if lost and not self._closing:
                await self._on_revoked(sorted(lost))
        except Exception as error:
            raise CallbackError from error

    async def _join(self) -> Member:
        return await Member.join(self._url, self._group, self._partitions, on_notify=self._notified)

    def _drop_member(self) -> None:
        if self._member is not None:
            self._member.drop()
            self._member = None

    def _notified(self, payload: str) -> None:
        kind, *names = payload.split()
        if kind != "append":
            self._group_changed.set()
        elif not self._partitions.keys().isdisjoint(names):
            self._records_wanted.set()
