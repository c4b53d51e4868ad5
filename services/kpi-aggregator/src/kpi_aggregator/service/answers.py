"""Which responses name a person, as participant or with a line of the ledger."""

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.frozen import FrozenContribution, counting, frozen
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.period import Days
from kpi_aggregator.service.stored import decoded

_NAMING = """
SELECT body FROM contribution
WHERE body IS NOT NULL AND day >= $1 AND day < $2 AND position(convert_to($3, 'UTF8') IN body) > 0
"""


async def answers_naming(
    session: AsyncSession, kpi: Kpi, employee: str, days: Days
) -> list[FrozenContribution]:
    """The answers of these days that name the person, as a snapshot would freeze them now."""
    rows = await sql(session, _NAMING, days.start, days.end, f'"{employee}"')
    found = [decoded(row.body) for row in rows]
    naming = [
        one
        for one in found
        if any(part.employee == employee for part in one.participants)
        or any(line.subject_type == "employee" and line.subject_id == employee for line in one.entries)
    ]
    return [frozen(one, kpi) for one in counting(naming, kpi, days)]
