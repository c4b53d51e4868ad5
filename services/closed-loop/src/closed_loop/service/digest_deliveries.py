"""Which digests go out by mail: planned once per person, kind and week; one worker at a time has one in hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.digest import Kind
from closed_loop.domain.retrying import mail_pause
from closed_loop.domain.schedule import Schedule, edition_due
from closed_loop.service.documents import newest
from closed_loop.tables import CalendarDocument, EmployeeFact
from closed_loop.tables_told import DigestDeliveryRow
from fairloop.db import sql
from fairloop.errors import Conflict, NotFound

State = Literal["pending", "handing_over", "sent", "unknown", "failed", "no_address"]

_OUT = timedelta(minutes=5)
"""How long making and handing over one mail may take before another worker may think that this one died."""

_PLAN = """
WITH lead AS (SELECT DISTINCT manager AS id FROM employee WHERE active AND manager IS NOT NULL),
top AS (
  SELECT DISTINCT a.employee AS id FROM assignment a
  WHERE a.org_unit IN (SELECT id FROM org_unit WHERE parent IS NULL)
    AND a.valid_from <= $4::date AND (a.valid_to IS NULL OR a.valid_to > $4)
),
posted AS (
  SELECT DISTINCT a.employee AS id FROM assignment a
  WHERE a.valid_from <= $4::date AND (a.valid_to IS NULL OR a.valid_to > $4)
)
INSERT INTO digest_delivery (employee, kind, period, starts, ends, state, attempts, next_try_at, planned_at)
SELECT e.id, CASE WHEN e.id IN (SELECT id FROM lead) AND e.id IN (SELECT id FROM top) THEN 'executive'
                  WHEN e.id IN (SELECT id FROM lead) THEN 'manager' ELSE 'employee' END,
       $1::text, $2::date, $3::date, 'pending', 0, $5::timestamptz, $5
FROM employee e
WHERE e.active AND e.id IN (SELECT id FROM posted) AND coalesce(e.calendar, '') = ANY($6::text[])
  AND NOT EXISTS (SELECT FROM digest_delivery d WHERE d.employee = e.id AND d.period = $1::text)
ON CONFLICT DO NOTHING
RETURNING 1
"""
_CLAIM = """
UPDATE digest_delivery AS held SET attempts = held.attempts + 1, next_try_at = $1::timestamptz + $2::interval
FROM (
  SELECT employee, kind, period FROM digest_delivery WHERE state = 'pending' AND next_try_at <= $1
  ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED
) AS due
WHERE (held.employee, held.kind, held.period) = (due.employee, due.kind, due.period)
RETURNING held.employee, held.kind, held.period, held.starts, held.ends, held.attempts
"""
_LOST = """
UPDATE digest_delivery SET state = 'unknown', error = 'the worker ended while handing over'
WHERE state = 'handing_over' AND next_try_at <= $1 RETURNING employee
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A mail to make. `attempts` counts this attempt and tells it from later ones."""

    employee: str
    kind: Kind
    period: str
    starts: date
    ends: date
    attempts: int

    @property
    def message_id(self) -> str:
        """The same on every attempt."""
        return f"digest.{self.period}.{self.kind}.{self.employee}"


async def plan(session: AsyncSession, schedule: Schedule, zone: ZoneInfo, *, now: datetime) -> int:
    """Everybody with a post whose time has come gets the fullest digest of their position, once a week.

    The time is that of their calendar's zone; `zone` is the organisation's, for who has none.
    """
    planned = 0
    for place, calendars in (await _zones(session, zone)).items():
        edition = edition_due(schedule, place, now)
        if edition is not None:
            days = edition.starts, edition.ends, edition.ends
            planned += len(await sql(session, _PLAN, edition.period, *days, now, calendars))
    return planned


async def zone_of(session: AsyncSession, employee: str, zone: ZoneInfo) -> ZoneInfo:
    """The zone of somebody's calendar, else `zone`."""
    calendar = await session.scalar(select(EmployeeFact.calendar).where(EmployeeFact.id == employee))
    zones = await _zones(session, zone)
    return next((place for place, calendars in zones.items() if (calendar or "") in calendars), zone)


async def _zones(session: AsyncSession, zone: ZoneInfo) -> dict[ZoneInfo, list[str]]:
    """Zone → the calendars people have that are in it; no calendar ("") and an unknown one: `zone`."""
    had = set(await session.scalars(select(func.coalesce(EmployeeFact.calendar, "")).distinct()))
    known = {
        row.id: ZoneInfo(row.document["timezone"]) for row in await session.scalars(newest(CalendarDocument))
    }
    zones: dict[ZoneInfo, list[str]] = {}
    for calendar in sorted(had):
        zones.setdefault(known.get(calendar, zone), []).append(calendar)
    return zones


async def claim(session: AsyncSession, *, now: datetime, most: int) -> list[Task]:
    """The mails that are due, ours for five minutes."""
    rows = await sql(session, _CLAIM, now, _OUT, most)
    return [Task(row.employee, row.kind, row.period, row.starts, row.ends, row.attempts) for row in rows]


async def give_up_lost(session: AsyncSession, *, now: datetime) -> Sequence[str]:
    """Of whom it is not known whether the server had taken their mail: it is not sent again, and can be seen."""
    return [row.employee for row in await sql(session, _LOST, now)]


async def hand_over(session: AsyncSession, task: Task) -> bool:
    """From here on only the server's answer tells. False when another worker has taken the task over meanwhile."""
    return await _move(session, task, "pending", state="handing_over")


async def settle(
    session: AsyncSession, task: Task, state: State, error: str | None, *, now: datetime
) -> bool:
    """Write down how it ended, unless somebody else has taken it over."""
    sent_at = now if state == "sent" else None
    return await _move(session, task, "pending", "handing_over", state=state, error=error, sent_at=sent_at)


async def try_again(session: AsyncSession, task: Task, error: str, *, now: datetime) -> bool:
    """Later; or never, after the last attempt."""
    pause = mail_pause(task.attempts)
    if pause is None:
        return await settle(session, task, "failed", error, now=now)
    return await _move(
        session, task, "pending", "handing_over", state="pending", error=error, next_try_at=now + pause
    )


async def retry(
    session: AsyncSession, employee: str, kind: Kind, period: str, *, now: datetime
) -> DigestDeliveryRow:
    """Send one that failed, or whose fate is not known, by hand. Raises NotFound, Conflict."""
    row = await session.get(DigestDeliveryRow, (employee, kind, period), with_for_update=True)
    if row is None:
        raise NotFound("There is no such delivery.")
    if row.state not in {"failed", "unknown", "no_address"}:
        raise Conflict(f"A delivery that is {row.state} is not sent again.")
    row.state, row.attempts, row.next_try_at, row.error = "pending", 0, now, None
    return row


def deliveries(*, state: State | None, employee: str | None) -> Select[DigestDeliveryRow]:
    """Those in this state, of this person."""
    rows = select(DigestDeliveryRow)
    if state is not None:
        rows = rows.where(DigestDeliveryRow.state == state)
    return rows if employee is None else rows.where(DigestDeliveryRow.employee == employee)


async def _move(session: AsyncSession, task: Task, *held: State, **values: object) -> bool:
    moved = await session.execute(
        update(DigestDeliveryRow)
        .where(
            DigestDeliveryRow.employee == task.employee,
            DigestDeliveryRow.kind == task.kind,
            DigestDeliveryRow.period == task.period,
            DigestDeliveryRow.attempts == task.attempts,
            DigestDeliveryRow.state.in_(held),
        )
        .values(**values)
        .returning(DigestDeliveryRow.employee)
    )
    return moved.first() is not None
