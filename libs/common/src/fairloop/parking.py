"""Events that could not be applied wait in a table of ours; their key's later events wait behind them.

Retry replays a key's events in log order through the same handlers. Retry and discard hold the partition's
position, as the consumer does, so the two never overlap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.dispatch import dispatch
from fairloop.errors import NotFound
from fairloop.ids import uuid7
from fairloop.log.port import Record, TopicPartition
from fairloop.receipts import lock_position
from fairloop.service import Handlers
from fairloop.wire import Delivery

BLOCKED = "blocked"
"""The error class of an event that only waits behind another one of its key."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An event to park, and why."""

    delivery: Delivery
    error_class: str
    error: str
    attempts: int


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A parked event, without its payload."""

    id: UUID
    topic: str
    part: int
    offset: int
    pseq: int | None
    key: str
    event_id: UUID | None
    type: str
    error_class: str
    error: str
    attempts: int
    state: str
    reason: str | None
    created_at: datetime


_COLUMNS = ", ".join(f'"{name}"' for name in Parked.__struct_fields__)


async def parked_keys(session: AsyncSession, partition: TopicPartition) -> set[str]:
    """The keys that wait. Read after the position is locked, so that a retry cannot slip in between."""
    rows = await sql(
        session,
        "SELECT DISTINCT key FROM parked_event WHERE topic = $1 AND part = $2 AND state = 'parked'",
        *partition,
    )
    return {row[0] for row in rows}


async def park(session: AsyncSession, failures: Sequence[Failure]) -> None:
    """Set events aside, in the transaction that moves the position past them."""
    if not failures:
        return
    statement = text(
        'INSERT INTO parked_event (id, topic, part, "offset", pseq, key, event_id, type, raw, error_class, error,'
        " attempts, state) VALUES (:id, :topic, :part, :offset, :pseq, :key, :event_id, :type, :raw, :error_class,"
        " :error, :attempts, 'parked')"
    )
    rows = [
        {
            "id": uuid7(),
            "topic": failure.delivery.record.topic,
            "part": failure.delivery.record.partition,
            "offset": failure.delivery.record.offset,
            "pseq": failure.delivery.pseq,
            "key": failure.delivery.key.replace("\0", "\ufffd"),
            "event_id": UUID(bytes=failure.delivery.event_id)
            if len(failure.delivery.event_id) == 16
            else None,
            "type": failure.delivery.type.replace("\0", "\ufffd"),
            "raw": msgspec.json.encode(failure.delivery.record),
            "error_class": failure.error_class,
            "error": failure.error.replace("\0", "\ufffd"),
            "attempts": failure.attempts,
        }
        for failure in failures
    ]
    await session.execute(statement, rows)


async def list_parked(session: AsyncSession, *, state: str = "parked") -> list[Parked]:
    """What waits (or was replayed, or discarded), in log order per partition."""
    rows = await sql(
        session,
        f'SELECT {_COLUMNS} FROM parked_event WHERE state = $1 ORDER BY topic, part, "offset"',
        state,
    )
    return [Parked(**dict(row)) for row in rows]


async def show_parked(session: AsyncSession, parked_id: UUID) -> tuple[Parked, Record]:
    """One parked event with the record as it came. Raises NotFound."""
    rows = await sql(session, f"SELECT {_COLUMNS}, raw FROM parked_event WHERE id = $1", parked_id)
    if not rows:
        raise NotFound(f"There is no parked event {parked_id}.")
    fields = dict(rows[0])
    raw: bytes = fields.pop("raw")
    return Parked(**fields), msgspec.json.decode(raw, type=Record)


async def retry_key(
    session: AsyncSession, parked_id: UUID, handlers: Handlers, decode: Callable[[Record], Delivery]
) -> int:
    """Replay every waiting event of this event's key, in log order; returns how many.

    All or nothing: any error leaves them parked (the caller's transaction is rolled back) and is raised.
    """
    parked, _ = await show_parked(session, parked_id)
    await lock_position(session, TopicPartition(parked.topic, parked.part))
    rows = await sql(
        session,
        "SELECT id, raw FROM parked_event WHERE topic = $1 AND part = $2 AND key = $3 AND state = 'parked'"
        ' ORDER BY "offset" FOR UPDATE',
        parked.topic,
        parked.part,
        parked.key,
    )
    for row_id, raw in rows:
        delivery = decode(msgspec.json.decode(raw, type=Record))
        if delivery.fault is not None:
            raise ValueError(delivery.fault)
        if delivery.data is not None:
            await dispatch(session, handlers, [delivery.data])
        await _settle(session, row_id, "replayed", None)
    return len(rows)


async def discard(session: AsyncSession, parked_id: UUID, reason: str) -> None:
    """Give one event up, for a reason that is kept. The key's other events go on waiting until retried."""
    parked, _ = await show_parked(session, parked_id)
    if parked.state != "parked":
        raise NotFound(f"Event {parked_id} is not parked any more: {parked.state}.")
    await lock_position(session, TopicPartition(parked.topic, parked.part))
    await _settle(session, parked_id, "discarded", reason)


async def _settle(session: AsyncSession, parked_id: UUID, state: str, reason: str | None) -> None:
    arguments: tuple[Any, ...] = (parked_id, state, reason)
    await sql(session, "UPDATE parked_event SET state = $2, reason = $3 WHERE id = $1", *arguments)
