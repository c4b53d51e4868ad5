"""What is known of the organisation: stored by version, loaded as far as the cases at hand need it."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import Circumstances, Directory, Person
from closed_loop.tables import EmployeeFact, OrgUnitFact
from fairloop.db import sql
from fairloop.events import Account, Assignment, Employee, OrgUnit

_LOCK = 0x636C_6469_7265_6374

_UNITS = """
INSERT INTO org_unit (id, version, parent) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, parent = excluded.parent
WHERE org_unit.version < excluded.version RETURNING 1
"""
_EMPLOYEES = """
INSERT INTO employee (id, version, manager, active, calendar)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bool[], $5::text[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, manager = excluded.manager, active = excluded.active,
  calendar = excluded.calendar
WHERE employee.version < excluded.version RETURNING 1
"""
_ASSIGNMENTS = """
INSERT INTO assignment (id, version, employee, role, org_unit, valid_from, valid_to)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, employee = excluded.employee, role = excluded.role,
  org_unit = excluded.org_unit, valid_from = excluded.valid_from, valid_to = excluded.valid_to
WHERE assignment.version < excluded.version OR (assignment.version = excluded.version AND assignment.role IS NULL)
RETURNING 1
"""
_ACCOUNTS = """
INSERT INTO account (customer, version, owner) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (customer) DO UPDATE SET version = excluded.version, owner = excluded.owner
WHERE account.version < excluded.version RETURNING 1
"""
_PART = """
WITH RECURSIVE line (unit) AS (
  (SELECT unnest($1::text[]) UNION SELECT id FROM org_unit WHERE parent IS NULL)
  UNION SELECT parent FROM line JOIN org_unit ON id = unit WHERE parent IS NOT NULL
), post AS MATERIALIZED (
  SELECT employee, org_unit, valid_from, valid_to FROM assignment WHERE org_unit IN (SELECT unit FROM line)
), owned AS MATERIALIZED (
  SELECT customer, owner FROM account WHERE customer = ANY($2::text[])
), person AS MATERIALIZED (
  SELECT id FROM employee
  WHERE id IN (SELECT employee FROM post UNION SELECT owner FROM owned UNION SELECT unnest($3::text[]))
)
SELECT json_build_object(
  'parents', (SELECT coalesce(json_object_agg(id, parent), '{}')
              FROM org_unit WHERE id IN (SELECT unit FROM line)),
  'posts', (SELECT coalesce(json_object_agg(org_unit, crew), '{}')
            FROM (SELECT org_unit, json_agg(post) AS crew FROM post GROUP BY org_unit) AS of_unit),
  'accounts', (SELECT coalesce(json_object_agg(customer, owner), '{}') FROM owned),
  'people', (SELECT coalesce(json_object_agg(id, known), '{}')
             FROM (SELECT id, json_build_object('manager', manager, 'active', active, 'calendar', calendar)
                     AS known FROM employee WHERE id IN (SELECT id FROM person UNION SELECT manager FROM person)) AS found),
  'load', (SELECT coalesce(json_object_agg(owner, cases), '{}')
           FROM (SELECT owner, count(*) AS cases FROM customer_case
                 WHERE $4 AND owner IN (SELECT employee FROM post) AND status NOT IN ('resolved', 'closed')
                 GROUP BY owner) AS busy)
)::text AS part
"""
"""The units asked for with all above them and the top, their people, and the people and customers asked for."""

_directory = msgspec.json.Decoder(Directory)

HOLD = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
"""Until the commit the directory stays as it is: what is routed now is not overtaken by what is learnt now."""


async def change_directory(session: AsyncSession) -> None:
    """Wait for the routing under way; then nobody routes until the commit."""
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def store_org_units(session: AsyncSession, events: Iterable[OrgUnit]) -> bool:
    """True when any of it is news."""
    newest = {event.org_unit: event for event in sorted(events, key=lambda event: event.version)}
    units = list(newest.values())
    changed = await sql(
        session,
        _UNITS,
        [unit.org_unit for unit in units],
        [unit.version for unit in units],
        [unit.parent for unit in units],
    )
    return bool(changed)


async def store_employees(session: AsyncSession, events: Iterable[Employee]) -> bool:
    """True when any of it is news."""
    newest = {event.employee: event for event in sorted(events, key=lambda event: event.version)}
    people = list(newest.values())
    changed = await sql(
        session,
        _EMPLOYEES,
        [person.employee for person in people],
        [person.version for person in people],
        [person.manager for person in people],
        [person.active for person in people],
        [person.calendar for person in people],
    )
    return bool(changed)


async def store_assignments(session: AsyncSession, events: Iterable[Assignment]) -> bool:
    """True when any of it is news."""
    newest = {event.assignment: event for event in sorted(events, key=lambda event: event.version)}
    posts = list(newest.values())
    changed = await sql(
        session,
        _ASSIGNMENTS,
        [post.assignment for post in posts],
        [post.version for post in posts],
        [post.employee for post in posts],
        [post.role for post in posts],
        [post.org_unit for post in posts],
        [post.valid_from for post in posts],
        [post.valid_to for post in posts],
    )
    return bool(changed)


async def store_accounts(session: AsyncSession, events: Iterable[Account]) -> bool:
    """True when any of it is news."""
    newest = {event.customer: event for event in sorted(events, key=lambda event: event.version)}
    accounts = list(newest.values())
    changed = await sql(
        session,
        _ACCOUNTS,
        [account.customer for account in accounts],
        [account.version for account in accounts],
        [account.owner for account in accounts],
    )
    return bool(changed)


async def load_parents(session: AsyncSession) -> dict[str, str | None]:
    """Every unit with the one above it."""
    rows = await session.execute(select(OrgUnitFact.id, OrgUnitFact.parent))
    return {row.id: row.parent for row in rows}


async def load_directory(
    session: AsyncSession, of: Sequence[Circumstances], *, with_load: bool = False
) -> Directory:
    """The part of the directory that routing cases in these circumstances can ask for.

    `with_load`: also how many open cases the people of their units have.
    """
    (row,) = await sql(
        session,
        _PART,
        list({unit for one in of for unit in (one.owning_unit, one.unit) if unit is not None}),
        list({one.customer for one in of if one.customer is not None}),
        list({who for one in of for who in one.participants}),
        with_load,
    )
    return _directory.decode(row.part)


async def load_people(session: AsyncSession, ids: Collection[str]) -> dict[str, Person]:
    """Those of these employees that are known."""
    statement = select(EmployeeFact).where(EmployeeFact.id.in_(ids))
    return {row.id: Person(row.manager, row.active, row.calendar) for row in await session.scalars(statement)}
