"""Who is to be told what: written by use cases and timers, listed and marked as read by whom it is for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, insert, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.tables import NotificationRow
from fairloop.auth import Caller, Role
from fairloop.errors import NotFound

_SEE_ALL = (Role.ADMIN, Role.OPS)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a notification is about, other than a case: `action_plan`, `recognition` and the like, by id."""

    type: str
    id: str


async def notify(
    session: AsyncSession, recipients: Iterable[str], kind: str, *, about: Subject, at: datetime
) -> None:
    """Tell each recipient (an employee's id or `org_unit:<id>`) once, with what else this transaction does.

    Telling only once what is told by a timer or delivered again is the business of who calls.
    """
    told = [
        {"recipient": who, "kind": kind, "subject_type": about.type, "subject_id": about.id, "at": at}
        for who in sorted(set(recipients))
    ]
    if told:
        await session.execute(insert(NotificationRow), told)


async def notifications_for(session: AsyncSession, caller: Caller) -> Select[NotificationRow]:
    """Those the caller may see: the own ones and those of the own units; administrators see all."""
    return select(NotificationRow).where(await _meant_for(session, caller))


async def mark_read(session: AsyncSession, id: int, *, caller: Caller, now: datetime) -> NotificationRow:
    """Seen; the first time counts. Raises NotFound, also for another's."""
    statement = (await notifications_for(session, caller)).where(NotificationRow.id == id).with_for_update()
    row = await session.scalar(statement)
    if row is None:
        raise NotFound("There is no such notification.")
    row.read_at = row.read_at or now
    return row


async def _meant_for(session: AsyncSession, caller: Caller) -> ColumnElement[bool]:
    if caller.has(*_SEE_ALL):
        return true()
    units: set[str] = set(caller.org_units)
    if caller.has(Role.MANAGER) and units:
        units = subtree(await load_parents(session), units)
    return or_(
        NotificationRow.recipient == caller.employee_id,
        NotificationRow.recipient.in_([f"org_unit:{unit}" for unit in sorted(units)]),
    )
