"""The directory: written one entry at a time or by import, published when its public part changes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.assignments import Assignment
from attribution.domain.org_tree import cycle_through
from attribution.service import locks, reattribution
from attribution.service.attribute import Moment
from attribution.tables import AssignmentRow, DirectoryRow, OrgUnitRow
from fairloop.errors import Invalid
from fairloop.events import EventData
from fairloop.outbox import publish

Change = Literal["created", "changed", "unchanged"]
Row = TypeVar("Row", bound=DirectoryRow)


async def put(session: AsyncSession, row: Row, *, at: Moment) -> Row:
    """Create or replace one entry and answer it as held; the same content changes and publishes nothing."""
    await locks.changing_directory(session)
    if isinstance(row, OrgUnitRow):
        for cycle in (await cycles(session, [row])).values():
            raise Invalid(f"A unit cannot be below itself: {cycle}.", pointer="/body/parent")
    if isinstance(row, AssignmentRow):
        await locks.changing_rules(session)
        for other in (await collisions(session, [row])).values():
            raise Invalid(f"{other} End that one first, or import both at once.", pointer="/body/from")
    written = await write(session, [row])
    if written.moved:
        await reattribution.begin(session, at=at, employees=sorted(written.moved))
    held = await session.get(type(row), row.id)
    assert held is not None
    return held


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: how many entries of each change, and whose assignments are not what they were."""

    changes: Counter[Change] = field(default_factory=Counter)
    moved: set[str] = field(default_factory=set)


async def write(session: AsyncSession, rows: Sequence[DirectoryRow]) -> Written:
    """Create or replace entries of one kind, distinct by id. The caller holds the locks and attributes again."""
    written = Written()
    if not rows:
        return written
    kind = type(rows[0])
    held = {
        row.id: row for row in await session.scalars(select(kind).where(kind.id.in_([r.id for r in rows])))
    }
    events: list[EventData] = []
    for row in rows:
        before = held.get(row.id)
        if before is None:
            row.version = 1
            session.add(row)
            events.append(row.event())
            written.changes["created"] += 1
            written.moved.update(_person(row))
        elif before.content() == row.content():
            written.changes["unchanged"] += 1
        else:
            written.moved.update(_person(before), _person(row))
            events += _replace(before, row)
            written.changes["changed"] += 1
    await session.flush()
    await publish(session, events)
    return written


def _replace(held: DirectoryRow, row: DirectoryRow) -> list[EventData]:
    """Take over the new content; the next version's event when others can see the difference."""
    before = held.event()
    for name, value in row.content().items():
        setattr(held, name, value)
    if held.event() == before:
        return []
    held.version += 1
    return [held.event()]


def _person(row: DirectoryRow) -> set[str]:
    return {row.employee} if isinstance(row, AssignmentRow) else set()


async def collisions(session: AsyncSession, rows: Sequence[AssignmentRow]) -> dict[str, str]:
    """Which of these assignments would overlap another of the same person and role, with which one."""
    written = {row.id: _posting(row) for row in rows}
    people = {row.employee for row in rows}
    held = await session.scalars(select(AssignmentRow).where(AssignmentRow.employee.in_(people)))
    after = {row.id: _posting(row) for row in held} | written
    by_person: dict[str, list[Assignment]] = defaultdict(list)
    for one in after.values():
        by_person[one.employee].append(one)
    found = (
        (id, one, next(filter(one.collides, by_person[one.employee]), None)) for id, one in written.items()
    )
    return {
        id: f"{one.employee} is {one.role} in {other.org_unit} already, by assignment {other.id}"
        f" from {other.valid_from}{f' to {other.valid_to}' if other.valid_to else ''}."
        for id, one, other in found
        if other
    }


def _posting(row: AssignmentRow) -> Assignment:
    return Assignment(row.id, row.employee, row.role, row.org_unit, row.valid_from, row.valid_to)


async def cycles(session: AsyncSession, units: Sequence[OrgUnitRow]) -> dict[str, str]:
    """Which of these units would be below themselves, with the way round."""
    parents = await parents_of_units(session)
    parents.update({unit.id: unit.parent for unit in units})
    ways = {unit.id: cycle_through(parents, unit.id) for unit in units}
    return {unit: " → ".join([*way, unit]) for unit, way in ways.items() if way}


async def parents_of_units(session: AsyncSession) -> dict[str, str | None]:
    """The whole tree: unit → parent."""
    rows = await session.execute(select(OrgUnitRow.id, OrgUnitRow.parent))
    return {row.id: row.parent for row in rows}
