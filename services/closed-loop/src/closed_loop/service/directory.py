"""What is known of the organisation: stored by version, loaded as far as the cases at hand need it."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import Circumstances, Directory, Person, Post, chain, top_unit
from closed_loop.tables import AccountFact, AssignmentFact, CaseRow, EmployeeFact, OrgUnitFact
from fairloop.db import sql
from fairloop.events import Account, Assignment, Employee, OrgUnit

_LOCK = 0x636C_6469_7265_6374

_UNITS = """
INSERT INTO org_unit (id, version, parent) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, parent = excluded.parent
WHERE org_unit.version < excluded.version RETURNING 1
"""
_EMPLOYEES = """
INSERT INTO employee (id, version, manager, active)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bool[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, manager = excluded.manager, active = excluded.active
WHERE employee.version < excluded.version RETURNING 1
"""
_ASSIGNMENTS = """
INSERT INTO assignment (id, version, employee, org_unit, valid_from, valid_to)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::date[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, employee = excluded.employee,
  org_unit = excluded.org_unit, valid_from = excluded.valid_from, valid_to = excluded.valid_to
WHERE assignment.version < excluded.version RETURNING 1
"""
_ACCOUNTS = """
INSERT INTO account (customer, version, owner) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (customer) DO UPDATE SET version = excluded.version, owner = excluded.owner
WHERE account.version < excluded.version RETURNING 1
"""


async def hold_directory(session: AsyncSession) -> None:
    """Until the commit the directory stays as it is: what is routed now is not overtaken by what is learnt now."""
    await session.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


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
    parents = await load_parents(session)
    origins = {unit for one in of for unit in (one.owning_unit, one.unit) if unit is not None}
    top = top_unit(parents)
    units = {level for unit in origins | ({top} if top else set()) for level in chain(parents, unit)}
    posts = await _posts(session, units)
    accounts = await _accounts(session, {one.customer for one in of if one.customer is not None})
    staff = {post.employee for crew in posts.values() for post in crew}
    wanted = staff | set(accounts.values()) | {who for one in of for who in one.participants}
    people = await load_people(session, wanted)
    people |= await load_people(session, {p.manager for p in people.values() if p.manager} - set(people))
    load = await _load(session, staff) if with_load else Counter[str]()
    return Directory(parents=parents, people=people, posts=posts, accounts=accounts, load=load)


async def load_people(session: AsyncSession, ids: Collection[str]) -> dict[str, Person]:
    """Those of these employees that are known."""
    statement = select(EmployeeFact).where(EmployeeFact.id.in_(ids))
    return {row.id: Person(row.manager, row.active) for row in await session.scalars(statement)}


async def _posts(session: AsyncSession, units: set[str]) -> dict[str, tuple[Post, ...]]:
    posts: dict[str, tuple[Post, ...]] = {}
    for row in await session.scalars(select(AssignmentFact).where(AssignmentFact.org_unit.in_(units))):
        post = Post(row.employee, row.valid_from, row.valid_to)
        posts[row.org_unit] = (*posts.get(row.org_unit, ()), post)
    return posts


async def _accounts(session: AsyncSession, customers: set[str]) -> dict[str, str]:
    statement = select(AccountFact.customer, AccountFact.owner).where(AccountFact.customer.in_(customers))
    return {row.customer: row.owner for row in await session.execute(statement)}


async def _load(session: AsyncSession, owners: set[str]) -> Counter[str]:
    statement = (
        select(CaseRow.owner, func.count().label("cases"))
        .where(CaseRow.owner.in_(owners), CaseRow.status.not_in(["resolved", "closed"]))
        .group_by(CaseRow.owner)
    )
    return Counter({row.owner: row.cases for row in await session.execute(statement)})
