"""Who accepted which text of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.notice import Published, standing
from bonus.service.notice import published_versions
from bonus.service.plans import HeldPlan, plan_version
from bonus.tables import Acceptance
from fairloop.auth import Caller, Role
from fairloop.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Accepting:
    """Somebody agrees to a text; on this day, at this moment."""

    employee: str
    text_hash: str
    caller: Caller
    now: datetime
    today: date


async def accept(session: AsyncSession, id: str, given: Accepting) -> HeldPlan:
    """Record that a payee agrees to a published text that is not superseded: the one in force or announced since.

    Raises Forbidden, NotFound, Conflict, Invalid.
    """
    if not given.caller.has(Role.ADMIN) and given.caller.employee_id != given.employee:
        raise Forbidden("A plan is accepted by the payee in person.")
    versions = await published_versions(session, id)
    if not versions:
        raise NotFound(f"There is no published plan {id}.")
    accepted = version_of(standing(versions, given.today), given.text_hash)
    if accepted is None:
        superseded = version_of(versions, given.text_hash)
        which = (
            "of any published version"
            if superseded is None
            else f"that counts: version {superseded.version} is superseded"
        )
        raise Conflict(f"This is not the text {which}. Read version {versions[-1].version}.")
    held = await plan_version(session, id, accepted.version)
    if held.plan.payee(given.employee) is None:
        raise Invalid(f"{given.employee} is not a payee of this plan.", pointer="/body/employee")
    await session.execute(
        insert(Acceptance)
        .values(
            plan=id,
            text_hash=given.text_hash,
            employee=given.employee,
            accepted_at=given.now,
            recorded_by=given.caller.sub,
        )
        .on_conflict_do_nothing()
    )
    return held


async def accepted_by(session: AsyncSession, id: str, text_hash: str) -> set[str]:
    """Who accepted this text."""
    rows = await session.scalars(
        select(Acceptance.employee).where(Acceptance.plan == id, Acceptance.text_hash == text_hash)
    )
    return set(rows)


def acceptances(id: str, caller: Caller) -> Select[Acceptance]:
    """Everybody's for those who pay, else one's own."""
    rows = select(Acceptance).where(Acceptance.plan == id)
    if caller.has(Role.ADMIN, Role.FINANCE):
        return rows
    return rows.where(Acceptance.employee == caller.employee_id)


def version_of(versions: Sequence[Published], text_hash: str) -> Published | None:
    """The newest of these versions with this text."""
    return next((one for one in reversed(versions) if one.text_hash == text_hash), None)
