"""Thanks between colleagues, the feed of a team, and who is never in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.service.notifications import Subject, notify
from closed_loop.service.positions import people_in, units_of
from closed_loop.tables import EmployeeFact
from closed_loop.tables_told import RecognitionRow
from fairloop.auth import Caller, Role
from fairloop.errors import Invalid, NotFound
from fairloop.ids import uuid7

_SEE_ALL = (Role.ADMIN, Role.OPS, Role.ANALYST)


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Somebody nobody thanked or praised in the month; `last_at`: when it last happened, ever."""

    employee: str
    org_units: tuple[str, ...]
    last_at: datetime | None


async def thank(
    session: AsyncSession,
    *,
    giver: str,
    recipient: str,
    text: str,
    response_id: UUID | None,
    now: datetime,
    zone: tzinfo,
) -> RecognitionRow:
    """Raises Invalid for oneself, for somebody who is not there or has left, and for a response that is no win."""
    if giver == recipient:
        raise Invalid("Nobody thanks themselves.", pointer="/body/to")
    for pointer, employee in (("/body/from", giver), ("/body/to", recipient)):
        person = await session.get(EmployeeFact, employee)
        if person is None or not person.active:
            raise Invalid(f"There is no employee {employee}, or they have left.", pointer=pointer)
    if response_id is not None and not await _is_win(session, response_id):
        raise Invalid("This response is nobody's win.", pointer="/body/response_id")
    units = await units_of(session, recipient, today=now.astimezone(zone).date())
    row = RecognitionRow(
        id=uuid7(),
        kind="thanks",
        at=now,
        recipient=recipient,
        giver=giver,
        text=text,
        response_id=response_id,
        case_id=None,
        org_unit=min(units, default=None),
        cause=None,
    )
    session.add(row)
    await session.flush()
    await notify(session, [recipient], "thanks", about=Subject("recognition", str(row.id)), at=now)
    return row


async def feed(
    session: AsyncSession, caller: Caller, *, org_unit: str | None, employee: str | None, today: date
) -> Select[RecognitionRow]:
    """What the caller may see: what was given or received, and what happened in the units they are in or lead."""
    rows = select(RecognitionRow).where(await _visible(session, caller, today=today))
    if org_unit is not None:
        units = subtree(await load_parents(session), [org_unit])
        rows = rows.where(RecognitionRow.org_unit.in_(units))
    if employee is not None:
        rows = rows.where(RecognitionRow.recipient == employee)
    return rows


async def find(session: AsyncSession, id: UUID, caller: Caller, *, today: date) -> RecognitionRow:
    """Raises NotFound, also for what the caller may not see."""
    visible = await _visible(session, caller, today=today)
    row = await session.scalar(select(RecognitionRow).where(RecognitionRow.id == id, visible))
    if row is None:
        raise NotFound("There is no such recognition.")
    return row


async def take_back(session: AsyncSession, id: UUID, caller: Caller, *, today: date) -> RecognitionRow:
    """By who gave the thanks, or an administrator. Raises NotFound; Invalid for what an answer tells."""
    row = await find(session, id, caller, today=today)
    if row.kind != "thanks":
        raise Invalid(
            "What an answer tells is taken back by correcting or deleting the answer.", pointer="/path/id"
        )
    if not caller.has(Role.ADMIN) and row.giver != caller.employee_id:
        raise NotFound("There is no such recognition of yours.")
    await session.delete(row)
    await session.flush()
    return row


async def never_recognised(
    session: AsyncSession, units: frozenset[str] | None, *, start: date, end: date, zone: tzinfo
) -> list[Unrecognised]:
    """The people of these units (None: of all) without a line in the feed on the local days [start, end)."""
    people = await people_in(session, units, start=start, end=end)
    since, until = (datetime.combine(day, time(), zone) for day in (start, end))
    seen = set(
        await session.scalars(
            select(RecognitionRow.recipient)
            .where(RecognitionRow.at >= since, RecognitionRow.at < until)
            .distinct()
        )
    )
    missed = {employee: held for employee, held in people.items() if employee not in seen}
    last = await _last_recognised(session, missed)
    return [Unrecognised(employee, held, last.get(employee)) for employee, held in missed.items()]


async def units_led(session: AsyncSession, caller: Caller) -> frozenset[str] | None:
    """The units of a manager's token and all below; None: the whole organisation."""
    if caller.has(Role.ADMIN):
        return None
    return frozenset(subtree(await load_parents(session), caller.org_units))


async def _visible(session: AsyncSession, caller: Caller, *, today: date) -> ColumnElement[bool]:
    if caller.has(*_SEE_ALL):
        return true()
    units = set(caller.org_units)
    if caller.employee_id is not None:
        units |= await units_of(session, caller.employee_id, today=today)
    if caller.has(Role.MANAGER):
        units |= subtree(await load_parents(session), caller.org_units)
    mine = or_(RecognitionRow.recipient == caller.employee_id, RecognitionRow.giver == caller.employee_id)
    return or_(mine, RecognitionRow.org_unit.in_(units))


async def _is_win(session: AsyncSession, response_id: UUID) -> bool:
    wins = select(RecognitionRow.id).where(
        RecognitionRow.response_id == response_id, RecognitionRow.kind != "thanks"
    )
    return (await session.scalar(wins.limit(1).with_for_update())) is not None


async def _last_recognised(session: AsyncSession, people: Mapping[str, object]) -> dict[str, datetime]:
    last = (
        select(RecognitionRow.recipient, func.max(RecognitionRow.at).label("at"))
        .where(RecognitionRow.recipient.in_(list(people)))
        .group_by(RecognitionRow.recipient)
    )
    return {row.recipient: row.at for row in await session.execute(last)}
