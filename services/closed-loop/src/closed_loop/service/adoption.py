"""Observations of a person, a unit with those below it, or everybody; and the outcome to show beside them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import httpx
import msgspec
from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.adoption import Seen
from closed_loop.domain.routing import subtree
from closed_loop.service.directory import load_parents
from closed_loop.service.people import people_sight, working_in
from closed_loop.tables import AssignmentFact, EmployeeFact
from closed_loop.tables_coaching import BehaviourRow, ObservationRow, TrainingRow
from fairloop.auth import Caller, Role
from fairloop.errors import Forbidden, NotFound
from fairloop.peers import PeerClient

ScopeType = Literal["employee", "org_unit", "organisation"]
EVERYONE = "all"  # the organisation's id
AGGREGATES = (Role.ADMIN, Role.OPS, Role.ANALYST, Role.FINANCE, Role.WORKS_COUNCIL, Role.SERVICE)

Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose observations: `id` of an employee or a unit, "all" for the organisation."""

    type: ScopeType
    id: str

    @property
    def is_group(self) -> bool:
        return self.type != "employee"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI as kpi-aggregator shows it."""

    value: float | None = None
    ci95: tuple[float, float] | None = None
    n: int | None = None
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """Of `people` who belong to the scope today, how many have training on record. None when too few people."""

    people: int
    trained: int


async def check_may_see(session: AsyncSession, scope: Scope, caller: Caller, today: date) -> None:
    """Raises NotFound for somebody else's, Forbidden where persons are not for the role."""
    if scope.type == "organisation":
        if scope.id != EVERYONE:
            raise NotFound(f"The organisation's id is {EVERYONE}.")
        return
    if scope.type == "employee":
        if not caller.has(Role.ADMIN, Role.MANAGER, Role.EMPLOYEE):
            raise Forbidden("Observations of persons are not for this role.")
        if not (await people_sight(session, caller, today)).sees(scope.id):
            raise NotFound(f"There is no employee {scope.id} that you may see.")
        return
    if caller.has(*AGGREGATES):
        return
    units = set(caller.org_units)
    if caller.has(Role.MANAGER):
        units = subtree(await load_parents(session), caller.org_units)
    if scope.id not in units:
        raise NotFound(f"There is no org unit {scope.id} that you may see.")


async def observations(
    session: AsyncSession, scope: Scope, days: Days, *, behaviour: str | None
) -> list[Seen]:
    """Those of these days that were not withdrawn; of a unit: of who worked there on the day of the observation."""
    statement = select(ObservationRow).where(
        ObservationRow.withdrawn_at.is_(None),
        ObservationRow.observed_on >= days[0],
        ObservationRow.observed_on < days[1],
        await _of(session, scope),
    )
    if behaviour is not None:
        statement = statement.where(ObservationRow.behaviour == behaviour)
    return [
        Seen(employee=row.employee, behaviour=row.behaviour, on=row.observed_on, shown=row.shown)
        for row in await session.scalars(statement)
    ]


async def _of(session: AsyncSession, scope: Scope) -> ColumnElement[bool]:
    if scope.type == "organisation":
        return true()
    if scope.type == "employee":
        return ObservationRow.employee == scope.id
    units = subtree(await load_parents(session), [scope.id])
    return (
        select(AssignmentFact.id)
        .where(
            AssignmentFact.employee == ObservationRow.employee,
            AssignmentFact.org_unit.in_(units),
            AssignmentFact.valid_from <= ObservationRow.observed_on,
            or_(AssignmentFact.valid_to.is_(None), AssignmentFact.valid_to > ObservationRow.observed_on),
        )
        .exists()
    )


async def trained(session: AsyncSession, scope: Scope, today: date, *, behaviour: str | None) -> Trained:
    """Who belongs to the scope today, and who of them was trained (in this behaviour)."""
    people = select(EmployeeFact.id).where(EmployeeFact.active)
    if scope.type == "employee":
        people = people.where(EmployeeFact.id == scope.id)
    elif scope.type == "org_unit":
        units = subtree(await load_parents(session), [scope.id])
        people = people.where(EmployeeFact.id.in_(working_in(units, today)))
    records = select(TrainingRow.employee).where(TrainingRow.employee.in_(people))
    if behaviour is not None:
        records = records.where(TrainingRow.behaviour == behaviour)
    count = await session.scalar(select(func.count()).select_from(people.subquery()))
    known = await session.scalar(select(func.count()).select_from(records.distinct().subquery()))
    return Trained(people=count or 0, trained=known or 0)


async def behaviour_names(session: AsyncSession) -> dict[str, str]:
    rows = await session.execute(select(BehaviourRow.id, BehaviourRow.name))
    return {row.id: row.name for row in rows}


async def outcomes(
    peers: PeerClient, kpi: str, scope: Scope, view: str, months: Sequence[Days]
) -> list[Outcome] | None:
    """The KPI of each of these months; None when kpi-aggregator does not answer."""
    path = f"/v1/kpis/{kpi}/{scope.type}/{scope.id}"
    try:
        async with peers("kpi-aggregator") as client:
            return await asyncio.gather(*(_outcome(client, path, view, days) for days in months))
    except (httpx.HTTPError, msgspec.MsgspecError):
        return None


async def _outcome(client: httpx.AsyncClient, path: str, view: str, days: Days) -> Outcome:
    asked = {"from": days[0].isoformat(), "to": days[1].isoformat(), "view": view}
    response = (await client.get(path, params=asked)).raise_for_status()
    return msgspec.json.decode(response.content, type=Outcome)
