"""Behaviours that are expected, who was trained in them, and who was seen to show them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.service.people import PeopleSight, check_person, roles_on
from closed_loop.tables_coaching import BehaviourRow, ObservationRow, TrainingRow
from fairloop.auth import Caller, Role
from fairloop.errors import Conflict, Forbidden, Invalid, NotFound
from fairloop.ids import uuid7


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, what they may see, and when."""

    caller: Caller
    sight: PeopleSight
    now: datetime
    today: date

    @property
    def name(self) -> str:
        return self.caller.employee_id or self.caller.sub


async def put_behaviour(session: AsyncSession, row: BehaviourRow) -> BehaviourRow:
    """Create or replace."""
    return await session.merge(row)


async def behaviour_of(session: AsyncSession, id: str) -> BehaviourRow:
    """Raises NotFound."""
    row = await session.get(BehaviourRow, id)
    if row is None:
        raise NotFound(f"There is no behaviour {id}.")
    return row


async def put_training(session: AsyncSession, row: TrainingRow, act: Act) -> TrainingRow:
    """Record, or correct, what somebody completed. Raises Invalid, NotFound."""
    held = await session.get(TrainingRow, row.id)
    if held is not None and not act.sight.sees(held.employee):
        raise NotFound(f"There is no training {row.id} that you may see.")
    await check_person(session, row.employee, act.sight)
    if row.behaviour is not None:
        await _require_behaviour(session, row.behaviour)
    if row.completed_on > act.today:
        raise Invalid("What is completed lies in the past.", pointer="/body/completed_at")
    return await session.merge(row)


async def observe(session: AsyncSession, row: ObservationRow, act: Act) -> ObservationRow:
    """Record what somebody was seen to do. Raises Invalid, NotFound, Forbidden."""
    if row.employee == act.caller.employee_id:
        raise Forbidden("Nobody observes themselves.")
    await check_person(session, row.employee, act.sight)
    behaviour = await _require_behaviour(session, row.behaviour)
    if row.observed_on > act.today:
        raise Invalid("What was observed lies in the past.", pointer="/body/observed_at")
    roles = await roles_on(session, row.employee, row.observed_on)
    if None not in roles and behaviour.role not in roles:
        raise Invalid(
            f"{behaviour.id} is expected of the role {behaviour.role}, which {row.employee} does not have on that day.",
            pointer="/body/behaviour",
        )
    session.add(row)
    await session.flush()
    return row


async def withdraw(session: AsyncSession, id: UUID, *, reason: str, act: Act) -> ObservationRow:
    """By who made it, or an administrator: it counts no more. Again changes nothing. Raises NotFound, Forbidden."""
    row = await _seen(session, id, act)
    if row.observed_by != act.name and not act.caller.has(Role.ADMIN):
        raise Forbidden("An observation is withdrawn by who made it.")
    if row.withdrawn_at is None:
        row.withdrawn_by, row.withdrawn_at, row.withdrawn_because = act.name, act.now, reason
    return row


async def reply(session: AsyncSession, id: UUID, *, text: str, act: Act) -> ObservationRow:
    """What the observed person has to say about it, once. Raises NotFound, Forbidden, Conflict."""
    row = await _seen(session, id, act)
    if row.employee != act.caller.employee_id:
        raise Forbidden("Only the observed person replies to an observation.")
    if row.reply is not None and row.reply != text:
        raise Conflict("This observation has its reply already.")
    if row.reply is None:
        row.reply, row.replied_at = text, act.now
    return row


async def visible_observation(session: AsyncSession, id: UUID, sight: PeopleSight) -> ObservationRow:
    """Raises NotFound, also for an observation of somebody else's people."""
    row = await session.get(ObservationRow, id, with_for_update=True)
    if row is None or not sight.sees(row.employee):
        raise NotFound("There is no such observation.")
    return row


async def _seen(session: AsyncSession, id: UUID, act: Act) -> ObservationRow:
    return await visible_observation(session, id, act.sight)


async def _require_behaviour(session: AsyncSession, id: str) -> BehaviourRow:
    row = await session.get(BehaviourRow, id)
    if row is None or not row.active:
        raise Invalid(f"There is no behaviour {id} that is expected today.", pointer="/body/behaviour")
    return row


def new_observation(
    *, employee: str, behaviour: str, shown: bool, note: str | None, on: date, act: Act
) -> ObservationRow:
    return ObservationRow(
        id=uuid7(),
        employee=employee,
        behaviour=behaviour,
        shown=shown,
        note=note,
        observed_on=on,
        observed_by=act.name,
        recorded_at=act.now,
    )
