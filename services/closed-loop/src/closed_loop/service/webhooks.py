"""Events for subscribers: queued with what they tell of, in the same transaction; then one row an attempt is made for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.retrying import Verdict, is_given_up, webhook_pause
from closed_loop.tables_told import WebhookDeliveryRow, WebhookSubscriptionRow
from fairloop.db import sql
from fairloop.errors import Conflict, NotFound
from fairloop.events import ClosedLoopCase, EventData, KpiShift
from fairloop.ids import uuid7

Subject = Literal["case", "kpi.shift"]

_OUT = timedelta(seconds=30)
"""How long an attempt may take before another worker makes the next: well above the time a request is given."""

_SUBSCRIBERS = "SELECT id FROM webhook_subscription WHERE active AND $1 = ANY(events)"
_QUEUE = """
INSERT INTO webhook_delivery (id, subscription, message_id, event, body, state, attempts, next_try_at, queued_at, created_at)
SELECT id, subscription, message_id, $1, body, 'pending', 0, at, at, at
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
  AS given (id, subscription, message_id, body, at)
ON CONFLICT (subscription, message_id) DO NOTHING
"""
_CLAIM = """
UPDATE webhook_delivery AS held SET attempts = held.attempts + 1, next_try_at = $1::timestamptz + $2::interval
FROM (
  SELECT d.id, s.url, s.secret FROM webhook_delivery d JOIN webhook_subscription s ON s.id = d.subscription
  WHERE d.state = 'pending' AND d.next_try_at <= $1 AND s.active
  ORDER BY d.next_try_at LIMIT $3 FOR UPDATE OF d SKIP LOCKED
) AS due
WHERE held.id = due.id
RETURNING held.id, held.subscription, held.message_id, held.event, held.body, held.attempts, held.queued_at, due.url, due.secret
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to make. `attempts` counts this one and tells it from later ones."""

    id: UUID
    subscription: str
    message_id: str
    body: bytes
    attempts: int
    queued_at: datetime
    url: str
    secret: bytes


async def tell_of_cases(session: AsyncSession, events: Sequence[tuple[ClosedLoopCase, datetime]]) -> None:
    """Queue each version of each case, with when it came about, for every subscriber; what is queued stays as it is.

    No order between them is promised: the version in the body tells the newer one.
    """
    told = [(f"case_{event.case_id.hex}_{event.version}", event, at) for event, at in events]
    await _tell(session, "case", told)


async def tell_of_shifts(session: AsyncSession, events: Sequence[KpiShift], *, now: datetime) -> None:
    """Queue each figure that moved for every subscriber."""
    await _tell(session, "kpi.shift", [(f"kpi_shift_{event.shift_id.hex}", event, now) for event in events])


async def claim(session: AsyncSession, *, now: datetime, most: int) -> list[Attempt]:
    """The attempts that are due, ours for half a minute; whoever is killed meanwhile leaves them to another."""
    rows = await sql(session, _CLAIM, now, _OUT, most)
    return [
        Attempt(
            row.id,
            row.subscription,
            row.message_id,
            row.body,
            row.attempts,
            row.queued_at,
            row.url,
            row.secret,
        )
        for row in rows
    ]


async def settle(
    session: AsyncSession,
    attempt: Attempt,
    outcome: Verdict,
    answer: str,
    *,
    now: datetime,
    give_up_after: timedelta,
) -> str:
    """Write down what came of an attempt, unless a later one was begun meanwhile; the delivery's state."""
    again_at = now + webhook_pause(attempt.attempts)
    if outcome == "delivered":
        state = "delivered"
    elif outcome == "gone" or is_given_up(attempt.queued_at, next_try_at=again_at, after=give_up_after):
        state = "failed"
    else:
        state = "pending"
    done = await session.execute(
        update(WebhookDeliveryRow)
        .where(
            WebhookDeliveryRow.id == attempt.id,
            WebhookDeliveryRow.attempts == attempt.attempts,
            WebhookDeliveryRow.state == "pending",
        )
        .values(
            state=state, answer=answer, next_try_at=again_at, settled_at=None if state == "pending" else now
        )
        .returning(WebhookDeliveryRow.id)
    )
    if outcome == "gone" and done.first() is not None:
        await _disable(session, attempt, now=now)
    return state


async def replay(session: AsyncSession, id: UUID, *, now: datetime) -> WebhookDeliveryRow:
    """Queue a settled delivery again, under the same webhook-id. Raises NotFound, Conflict."""
    row = await find_delivery(session, id, lock=True)
    if row.state == "pending":
        raise Conflict("This delivery is still waiting; it will be tried by itself.")
    row.state, row.attempts, row.next_try_at, row.queued_at, row.settled_at = "pending", 0, now, now, None
    return row


async def find_delivery(session: AsyncSession, id: UUID, *, lock: bool = False) -> WebhookDeliveryRow:
    """Raises NotFound."""
    statement = select(WebhookDeliveryRow).where(WebhookDeliveryRow.id == id)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound("There is no such delivery.")
    return row


async def delete_delivery(session: AsyncSession, id: UUID) -> None:
    """Forget it; one that waits is not sent any more. Raises NotFound."""
    await find_delivery(session, id, lock=True)
    await session.execute(delete(WebhookDeliveryRow).where(WebhookDeliveryRow.id == id))


async def _tell(
    session: AsyncSession, subject: Subject, told: Sequence[tuple[str, EventData, datetime]]
) -> None:
    """Queue messages, each with its id and when what it tells of came about, for all who want them."""
    if not told:
        return
    subscribers = [row.id for row in await sql(session, _SUBSCRIBERS, subject)]
    if not subscribers:
        return
    bodies = [msgspec.json.encode({"type": subject, "timestamp": at, "data": data}) for _, data, at in told]
    size = len(subscribers)
    await sql(
        session,
        _QUEUE,
        subject,
        [uuid7() for _ in range(size * len(told))],
        [subscriber for subscriber in subscribers for _ in told],
        [message_id for message_id, _, _ in told] * size,
        bodies * size,
        [at for _, _, at in told] * size,
    )


async def _disable(session: AsyncSession, attempt: Attempt, *, now: datetime) -> None:
    """The receiver is gone for good: nothing more goes there until it is PUT again."""
    await session.execute(
        update(WebhookSubscriptionRow)
        .where(WebhookSubscriptionRow.id == attempt.subscription, WebhookSubscriptionRow.url == attempt.url)
        .values(active=False, disabled_reason="the receiver answered 410 Gone", updated_at=now)
    )
