"""Buckets at rest: added to by difference, summed over a range of days, whole months from the months' sums.

Only days are written here; the database adds what it is told of a day to the day's month.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Row, sql
from kpi_aggregator.domain.fold import Buckets
from kpi_aggregator.domain.marks import Scope, ScopeType, View
from kpi_aggregator.domain.period import Days, whole_months
from kpi_aggregator.domain.sums import NOTHING, Sums

_KEY = ("text", "text", "text", "text", "date", "smallint")
_TYPES = (*_KEY, *("bigint" for _ in Sums._fields))


def add_buckets(*, first: int) -> str:
    """The statement that adds to buckets; its arguments begin with `$first`, in the order of `bucket_columns`."""
    columns = ", ".join(f"${first + place}::{type}[]" for place, type in enumerate(_TYPES))
    return f"""
INSERT INTO bucket AS held (kpi, scope_type, scope_id, view, day, shard, {", ".join(Sums._fields)})
SELECT * FROM unnest({columns})
ON CONFLICT (kpi, scope_type, scope_id, view, day, shard) DO UPDATE
SET {", ".join(f"{name} = held.{name} + excluded.{name}" for name in Sums._fields)}
"""


_ADD = add_buckets(first=1)
_SUMS = ", ".join(Sums._fields)


def _summing(scopes: str) -> str:
    """Sums whole months [$6, $7) by their months and the other days of [$4, $5) by day; an empty part costs nothing."""
    of_scopes = f"kpi = $1 AND scope_type = $2 AND view = $3{scopes}"
    return f"""
SELECT scope_id, count(*) AS buckets, {", ".join(f"sum({name})" for name in Sums._fields)}
FROM (
  SELECT scope_id, {_SUMS} FROM month_bucket WHERE $6::date < $7::date AND {of_scopes} AND month >= $6 AND month < $7
  UNION ALL SELECT scope_id, {_SUMS} FROM bucket WHERE $4::date < $6::date AND {of_scopes} AND day >= $4 AND day < $6
  UNION ALL SELECT scope_id, {_SUMS} FROM bucket WHERE $7::date < $5::date AND {of_scopes} AND day >= $7 AND day < $5
) AS parts GROUP BY scope_id
"""


_SUM_SOME = _summing(" AND scope_id = ANY($8::text[])")
_SUM_ALL = _summing("")


_BY_DAY = f"""
SELECT day, {", ".join(f"sum({name})" for name in Sums._fields)} FROM bucket
WHERE kpi = $1 AND scope_type = $2 AND view = $3 AND scope_id = $4 AND day >= $5 AND day < $6 GROUP BY day
"""


async def save_buckets(session: AsyncSession, differences: Buckets) -> None:
    """Add these sums, which may be negative, to what is held. The caller gives them in key order."""
    if differences:
        await sql(session, _ADD, *bucket_columns(differences))


def bucket_columns(differences: Buckets) -> list[list[object]]:
    """Keys and sums, a list for each column of the table."""
    if not differences:
        return [[] for _ in _TYPES]
    rows = ((*key, *sums) for key, sums in differences.items())
    return [list(column) for column in zip(*rows, strict=True)]


class Summed(NamedTuple):
    """Sums by scope, and of how many buckets they were made."""

    sums: dict[str, Sums]
    buckets: int


async def sums_of_some(
    session: AsyncSession, kpi: str, scope_type: ScopeType, ids: Sequence[str], *, view: View, days: Days
) -> Summed:
    """The sums of each of these scopes over the days; every id has one."""
    found = _summed(await sql(session, _SUM_SOME, kpi, scope_type, view, *_ranges(days), list(ids)))
    return Summed({**dict.fromkeys(ids, NOTHING), **found.sums}, found.buckets)


async def sums_by_day(session: AsyncSession, kpi: str, scope: Scope, days: Days) -> dict[date, Sums]:
    """The sums of one scope on every day that has any."""
    rows = await sql(
        session, _BY_DAY, kpi, scope.scope_type, scope.view, scope.scope_id, days.start, days.end
    )
    return {row.day: Sums(*map(int, row[1:])) for row in rows}


async def sums_of_all(
    session: AsyncSession, kpi: str, scope_type: ScopeType, *, view: View, days: Days
) -> Summed:
    """The sums of every scope of this type that counted anything in the days."""
    return _summed(await sql(session, _SUM_ALL, kpi, scope_type, view, *_ranges(days)))


def _ranges(days: Days) -> tuple[date, date, date, date]:
    months = whole_months(days)
    return days.start, days.end, months.start, months.end


def _summed(rows: Sequence[Row]) -> Summed:
    sums = {row[0]: Sums(*map(int, row[2:])) for row in rows}
    return Summed(sums, sum(row.buckets for row in rows))
