"""Counting who names a cause, from the contributions of some days."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.cause_answers import Naming
from kpi_aggregator.domain.kpi import SCALES, Category, Kpi, category
from kpi_aggregator.domain.period import Days

_COUNT = """
SELECT (body #>> ARRAY['scores', $1])::int AS score,
       jsonb_array_length(coalesce(body -> 'causes', '[]')) > 0
         AND NOT coalesce(body -> 'entries', '[]') @> '[{"reason": "no_cause_given"}]' AS named,
       count(*) AS n
FROM (
  SELECT convert_from(body, 'UTF8')::jsonb AS body FROM contribution
  WHERE body IS NOT NULL AND day >= $2 AND day < $3 AND ($4::text[] IS NULL OR units && $4::text[])
) AS counted
WHERE body -> 'scores' ? $1
GROUP BY 1, 2
"""
"""A first answer without the second where there is one counts as no cause, as it does in the ledger."""


async def namings(
    session: AsyncSession, kpi: Kpi, days: Days, *, units: Collection[str] | None
) -> dict[Category, Naming]:
    """How many answers of each kind there are, and how many of them name a cause; `units`: of these org units only."""
    found: dict[Category, Naming] = defaultdict(Naming)
    wanted = None if units is None else sorted(units)
    for row in await sql(session, _COUNT, kpi, days.start, days.end, wanted):
        kind = category(SCALES[kpi], row.score)
        before = found[kind]
        found[kind] = Naming(before.n + row.n, before.named + (row.n if row.named else 0))
    return found
