"""The directory as far as pay needs it: stored by version, read per payee and as a tree."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.tenure import Assigned, Days
from bonus.tables import Unit
from fairloop.db import sql
from fairloop.events import Assignment, Employee, EventData, OrgUnit, Role

E = TypeVar("E", bound=EventData)


def newest(events: Iterable[E]) -> list[E]:
    """One event an aggregate, the highest version, ordered by key so that two workers lock in one order."""
    held: dict[str, E] = {}
    for event in events:
        if event.key not in held or event.version > held[event.key].version:
            held[event.key] = event
    return [held[key] for key in sorted(held)]


async def store_units(session: AsyncSession, events: Sequence[OrgUnit]) -> None:
    units = newest(events)
    await sql(
        session,
        "INSERT INTO org_unit AS held (org_unit, version, parent)"
        " SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) ON CONFLICT (org_unit) DO UPDATE"
        " SET version = excluded.version, parent = excluded.parent WHERE held.version < excluded.version",
        [unit.org_unit for unit in units],
        [unit.version for unit in units],
        [unit.parent for unit in units],
    )


async def store_employees(session: AsyncSession, events: Sequence[Employee]) -> None:
    """A release without levels may have stored a person before: published again, the same version brings it."""
    people = newest(events)
    await sql(
        session,
        "INSERT INTO employee AS held (employee, version, active, level)"
        " SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[], $4::text[])"
        " ON CONFLICT (employee) DO UPDATE"
        " SET version = excluded.version, active = excluded.active, level = excluded.level"
        " WHERE held.version < excluded.version OR (held.version = excluded.version AND held.level IS NULL)",
        [person.employee for person in people],
        [person.version for person in people],
        [person.active for person in people],
        [person.level for person in people],
    )


async def store_roles(session: AsyncSession, events: Sequence[Role]) -> None:
    kinds = newest(events)
    await sql(
        session,
        "INSERT INTO role AS held (role, version, customer_facing)"
        " SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[]) ON CONFLICT (role) DO UPDATE"
        " SET version = excluded.version, customer_facing = excluded.customer_facing"
        " WHERE held.version < excluded.version",
        [kind.role for kind in kinds],
        [kind.version for kind in kinds],
        [kind.customer_facing for kind in kinds],
    )


async def store_assignments(session: AsyncSession, events: Sequence[Assignment]) -> None:
    postings = newest(events)
    await sql(
        session,
        "INSERT INTO assignment AS held (assignment, version, employee, role, org_unit, valid_from, valid_to)"
        " SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[])"
        " ON CONFLICT (assignment) DO UPDATE SET version = excluded.version, employee = excluded.employee,"
        " role = excluded.role, org_unit = excluded.org_unit, valid_from = excluded.valid_from,"
        " valid_to = excluded.valid_to WHERE held.version < excluded.version",
        [posting.assignment for posting in postings],
        [posting.version for posting in postings],
        [posting.employee for posting in postings],
        [posting.role for posting in postings],
        [posting.org_unit for posting in postings],
        [posting.valid_from for posting in postings],
        [posting.valid_to for posting in postings],
    )


_ASSIGNMENTS = """
SELECT employee, org_unit, CASE WHEN $2 AND level <> '' THEN role || '/' || level ELSE role END, valid_from, valid_to
FROM assignment LEFT JOIN employee USING (employee) WHERE employee = ANY($1::text[])
"""


async def assignments_of(
    session: AsyncSession, employees: Collection[str], *, levels: bool = False
) -> dict[str, list[Assigned]]:
    """Every assignment of these people; with `levels` the role is "role/level" of who has one, as it is today."""
    found: dict[str, list[Assigned]] = defaultdict(list)
    rows = await sql(session, _ASSIGNMENTS, list(employees), levels)
    for employee, org_unit, role, valid_from, valid_to in rows:
        found[employee].append(Assigned(Days(valid_from, valid_to or date.max), org_unit, role))
    return found


async def subtree(session: AsyncSession, tops: Collection[str]) -> set[str]:
    """These units and everything below them."""
    rows = await session.execute(select(Unit.org_unit, Unit.parent))
    children: dict[str, list[str]] = defaultdict(list)
    for unit, parent in rows:
        if parent is not None:
            children[parent].append(unit)
    reached: set[str] = set()
    waiting = list(tops)
    while waiting:
        unit = waiting.pop()
        if unit not in reached:
            reached.add(unit)
            waiting.extend(children[unit])
    return reached


async def strangers(session: AsyncSession, employees: Collection[str]) -> list[str]:
    """Those of these people the directory has not told us about, sorted."""
    known = await sql(
        session, "SELECT employee FROM employee WHERE active AND employee = ANY($1::text[])", list(employees)
    )
    return sorted(set(employees) - {employee for (employee,) in known})
