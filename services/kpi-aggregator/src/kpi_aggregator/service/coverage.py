"""Coverage counted from interactions and invitations as they are held: nothing is summed ahead."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Row, sql
from kpi_aggregator.domain.coverage import Asked
from kpi_aggregator.domain.period import Days

_COUNTS = """
count(*) AS eligible, count(*) FILTER (WHERE sent) AS sent, count(*) FILTER (WHERE bounced) AS bounced,
count(*) FILTER (WHERE edited) AS edited,
count(*) FILTER (WHERE sent AND EXISTS (SELECT FROM contribution c WHERE c.interaction = asked.interaction)) AS answered
"""

_ASKED = """
asked AS (
  SELECT interaction, bool_or(sent) AS sent, bool_or(bounced) AS bounced, bool_or(edited) AS edited
  FROM invitation WHERE day >= $1 AND day < $2 GROUP BY interaction
)
"""
"""Each interaction once, however often its customer was asked."""

_EVERYONE = f"""
WITH {_ASKED}
SELECT (SELECT count(*) FROM interaction WHERE day >= $1 AND day < $2) AS interactions, {_COUNTS} FROM asked
"""

_OF_UNITS = f"""
WITH {_ASKED}, theirs AS (
  SELECT i.interaction, i.day FROM interaction i
  WHERE (i.org_unit = ANY($3::text[]) OR EXISTS (
      SELECT FROM assignment a WHERE a.employee = ANY(i.employees) AND a.org_unit = ANY($3::text[])
        AND a.valid_from <= i.day AND (a.valid_to IS NULL OR a.valid_to > i.day)))
    AND (i.day >= $1 AND i.day < $2 OR i.interaction IN (SELECT interaction FROM asked))
)
SELECT (SELECT count(*) FROM theirs WHERE day >= $1 AND day < $2) AS interactions, {_COUNTS}
FROM asked JOIN theirs USING (interaction)
"""

_OF_EMPLOYEES = f"""
WITH {_ASKED}, theirs AS (
  SELECT i.interaction, i.day, employee FROM interaction i, unnest(i.employees) AS employee
  WHERE ($3::text[] IS NULL OR i.employees && $3::text[])
    AND (i.day >= $1 AND i.day < $2 OR i.interaction IN (SELECT interaction FROM asked))
), happened AS (
  SELECT employee, count(*) AS interactions FROM theirs WHERE day >= $1 AND day < $2 GROUP BY employee
), counted AS (
  SELECT employee, {_COUNTS} FROM asked JOIN theirs USING (interaction) GROUP BY employee
)
SELECT employee, coalesce(interactions, 0) AS interactions, coalesce(eligible, 0) AS eligible,
       coalesce(sent, 0) AS sent, coalesce(bounced, 0) AS bounced, coalesce(edited, 0) AS edited,
       coalesce(answered, 0) AS answered
FROM happened FULL JOIN counted USING (employee)
WHERE $3::text[] IS NULL OR employee = ANY($3::text[])
"""


async def asked_by_organisation(session: AsyncSession, days: Days) -> Asked:
    """Everything, also invitations to interactions that are not known yet."""
    (row,) = await sql(session, _EVERYONE, days.start, days.end)
    return _asked(row)


async def asked_by_units(session: AsyncSession, units: Collection[str], days: Days) -> Asked:
    """The interactions of these units, or of a verified participant who worked in one of them on that day."""
    (row,) = await sql(session, _OF_UNITS, days.start, days.end, list(units))
    return _asked(row)


async def asked_by_employees(
    session: AsyncSession, days: Days, employees: Collection[str] | None = None
) -> dict[str, Asked]:
    """The interactions each was a verified participant of; of everybody, or of some."""
    wanted = None if employees is None else sorted(employees)
    rows = await sql(session, _OF_EMPLOYEES, days.start, days.end, wanted)
    return {row.employee: _asked(row) for row in rows}


def _asked(row: Row) -> Asked:
    return Asked(row.interactions, row.eligible, row.sent, row.bounced, row.edited, row.answered)
