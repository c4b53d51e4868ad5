"""The numbers a producer gives out, compared with those on the log, and moved so that none is given twice."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.log.port import TopicPartition

_HEAD = "SELECT next_pseq FROM outbox_head WHERE topic = $1 AND part = $2"


@dataclass(frozen=True, slots=True)
class Head:
    """`next_number`: the next to be given. `next_sent`: the next that the log will get, of those given already."""

    next_number: int
    next_sent: int


async def read_head(session: AsyncSession, partition: TopicPartition) -> Head:
    """1 and 1 for a database that has given out none."""
    rows = await sql(session, _HEAD, *partition)
    next_number = rows[0][0] if rows else 1
    waiting = await sql(session, "SELECT min(pseq) FROM outbox WHERE topic = $1 AND part = $2", *partition)
    return Head(next_number, waiting[0][0] or next_number)


async def waiting_ids(session: AsyncSession, partition: TopicPartition) -> set[bytes]:
    """The ids of the events in the outbox."""
    rows = await sql(session, "SELECT event_id FROM outbox WHERE topic = $1 AND part = $2", *partition)
    return {row[0].bytes for row in rows}


async def pass_log(session: AsyncSession, partition: TopicPartition, *, last: int, sent: set[bytes]) -> bool:
    """Give out numbers behind `last`, the highest on the log, from now on; False when that is so already.

    `sent`: events of the outbox that are on the log. They are forgotten here, as the lost database had done; the
    others keep their order and get new numbers.
    """
    await sql(
        session,
        "INSERT INTO outbox_head (topic, part, next_pseq) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING",
        *partition,
    )
    if (await sql(session, f"{_HEAD} FOR UPDATE", *partition))[0][0] > last:
        return False
    await sql(
        session,
        "DELETE FROM outbox WHERE topic = $1 AND part = $2 AND event_id IN"
        " (SELECT encode(id, 'hex')::uuid FROM unnest($3::bytea[]) AS id)",
        *partition,
        list(sent),
    )
    await sql(session, "UPDATE outbox SET pseq = NULL WHERE topic = $1 AND part = $2", *partition)
    await sql(
        session, "UPDATE outbox_head SET next_pseq = $3 WHERE topic = $1 AND part = $2", *partition, last + 1
    )
    return True
