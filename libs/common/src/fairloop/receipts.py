"""Which events were taken, and how far: what makes a second delivery, a gap and a rewound producer visible.

A producer numbers the events of each topic partition 1, 2, 3 … before it sends them. A consumer keeps the highest
number it has taken (`hw_pseq`) and the ids behind the numbers, in the transaction of their effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.log.port import TopicPartition
from fairloop.wire import Delivery


class HaltError(Exception):
    """The partition must stop: going on would skip or repeat something. Never healed by trying again."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a consumer stands in one partition."""

    next_offset: int
    hw_pseq: int


@dataclass(frozen=True, slots=True)
class Sifted:
    """A batch, sorted. `fresh` in log order; `repeats` claim a number from before the batch and are to be proven."""

    fresh: list[Delivery]
    repeats: list[Delivery]
    hw_pseq: int
    next_offset: int

    def ids(self) -> bytes:
        """The ids behind the new numbers, 16 bytes each."""
        return b"".join(delivery.event_id for delivery in self.fresh if delivery.pseq is not None)


def sift(deliveries: Sequence[Delivery], position: Position) -> Sifted:
    """What of a batch is new. Raises HaltError for a gap, or when one number stands for two events."""
    fresh: list[Delivery] = []
    repeats: list[Delivery] = []
    hw = position.hw_pseq
    ids: list[bytes] = []
    for delivery in deliveries:
        if delivery.record.offset < position.next_offset:
            continue
        pseq = delivery.pseq
        if pseq is None:
            fresh.append(delivery)
        elif pseq == hw + 1:
            hw = pseq
            ids.append(delivery.event_id)
            fresh.append(delivery)
        elif pseq > hw + 1:
            missing = f"{hw + 1}" if pseq == hw + 2 else f"{hw + 1} to {pseq - 1}"
            begun = "history is missing, bootstrap" if hw == 0 else "events are missing"
            raise HaltError(f"{begun}: number {missing} before offset {delivery.record.offset}")
        elif pseq <= position.hw_pseq:
            repeats.append(delivery)
        elif ids[pseq - position.hw_pseq - 1] != delivery.event_id:
            raise HaltError(f"the producer went back in time: number {pseq} stands for two events")
    next_offset = max(position.next_offset, deliveries[-1].record.offset + 1)
    return Sifted(fresh, repeats, hw, next_offset)


async def lock_position(session: AsyncSession, partition: TopicPartition) -> Position:
    """The position, locked: whoever holds it is the only one to apply events of this partition."""
    select = "SELECT next_offset, hw_pseq FROM consumer_pos WHERE topic = $1 AND part = $2 FOR UPDATE"
    rows = await sql(session, select, *partition)
    if not rows:
        await sql(
            session,
            "INSERT INTO consumer_pos (topic, part, next_offset, hw_pseq) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING",
            *partition,
        )
        rows = await sql(session, select, *partition)
    return Position(*rows[0])


async def read_positions(
    session: AsyncSession, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, Position]:
    """The positions held, without a lock."""
    rows = await sql(
        session,
        "SELECT topic, part, next_offset, hw_pseq FROM consumer_pos"
        " JOIN unnest($1::text[], $2::smallint[]) AS asked (topic, part) USING (topic, part)",
        [partition.topic for partition in partitions],
        [partition.partition for partition in partitions],
    )
    return {TopicPartition(topic, part): Position(offset, hw) for topic, part, offset, hw in rows}


async def prove_repeats(
    session: AsyncSession, partition: TopicPartition, repeats: Sequence[Delivery]
) -> None:
    """Raises HaltError unless every repeat is the very event taken under its number before."""
    if not repeats:
        return
    numbers = [delivery.pseq for delivery in repeats if delivery.pseq is not None]
    rows = await sql(
        session,
        "SELECT first_pseq, event_ids FROM receipt"
        " WHERE topic = $1 AND part = $2 AND last_pseq >= $3 AND first_pseq <= $4",
        *partition,
        min(numbers),
        max(numbers),
    )
    kept: dict[int, bytes] = {}
    for first, ids in rows:
        kept.update((first + i, ids[16 * i : 16 * i + 16]) for i in range(len(ids) // 16))
    for delivery in repeats:
        assert delivery.pseq is not None
        known = kept.get(delivery.pseq)
        if known is None:
            raise HaltError(f"number {delivery.pseq} came again and its receipt is no longer kept")
        if known != delivery.event_id:
            raise HaltError(f"the producer went back in time: number {delivery.pseq} stands for two events")


async def store_position(
    session: AsyncSession, partition: TopicPartition, before: Position, after: Sifted
) -> None:
    """Move the position, with the receipt of what was taken."""
    if after.hw_pseq == before.hw_pseq:
        await sql(
            session,
            "UPDATE consumer_pos SET next_offset = $3 WHERE topic = $1 AND part = $2",
            *partition,
            after.next_offset,
        )
        return
    await sql(
        session,
        "WITH kept AS (INSERT INTO receipt (topic, part, first_pseq, last_pseq, event_ids) VALUES ($1, $2, $4, $5, $6))"
        " UPDATE consumer_pos SET next_offset = $3, hw_pseq = $5 WHERE topic = $1 AND part = $2",
        *partition,
        after.next_offset,
        before.hw_pseq + 1,
        after.hw_pseq,
        after.ids(),
    )
