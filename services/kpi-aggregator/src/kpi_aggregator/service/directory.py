"""People and where they work, as far as it decides who may see whom."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import Assignment, Employee
from kpi_aggregator.service.versions import newest

_SAVE_EMPLOYEES = """
INSERT INTO employee AS held (employee, version, active)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[])
ON CONFLICT (employee) DO UPDATE SET version = excluded.version, active = excluded.active
WHERE held.version < excluded.version
"""

_SAVE_ASSIGNMENTS = """
INSERT INTO assignment AS held (assignment, version, employee, org_unit, valid_from, valid_to)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::date[])
ON CONFLICT (assignment) DO UPDATE
SET version = excluded.version, employee = excluded.employee, org_unit = excluded.org_unit,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to
WHERE held.version < excluded.version
"""

_UNITS_OF = """
SELECT DISTINCT org_unit FROM assignment
WHERE employee = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
"""

_WORKING_IN = """
SELECT DISTINCT employee FROM assignment
WHERE org_unit = ANY($1::text[]) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
"""


async def save_employees(session: AsyncSession, events: Sequence[Employee]) -> None:
    """Keep the newest version of each employee."""
    batch = newest(events)
    await sql(
        session,
        _SAVE_EMPLOYEES,
        [event.employee for event in batch],
        [event.version for event in batch],
        [event.active for event in batch],
    )


async def save_assignments(session: AsyncSession, events: Sequence[Assignment]) -> None:
    """Keep the newest version of each assignment."""
    batch = newest(events)
    await sql(
        session,
        _SAVE_ASSIGNMENTS,
        [event.assignment for event in batch],
        [event.version for event in batch],
        [event.employee for event in batch],
        [event.org_unit for event in batch],
        [event.valid_from for event in batch],
        [event.valid_to for event in batch],
    )


async def units_of(session: AsyncSession, employee: str, on: date) -> frozenset[str]:
    """Where somebody works on a day."""
    return frozenset(row[0] for row in await sql(session, _UNITS_OF, employee, on))


async def working_in(session: AsyncSession, units: Collection[str], on: date) -> frozenset[str]:
    """Who works in one of these units on a day."""
    return frozenset(row[0] for row in await sql(session, _WORKING_IN, list(units), on))


async def everybody(session: AsyncSession) -> frozenset[str]:
    """Every employee known, active or not."""
    return frozenset(row[0] for row in await sql(session, "SELECT employee FROM employee"))
