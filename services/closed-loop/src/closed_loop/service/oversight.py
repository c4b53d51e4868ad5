"""What is open and how old, and which share of those who answered was followed up in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.tables import CaseRow
from fairloop.db import sql

BANDS = (("0-1", 1), ("1-3", 3), ("3-7", 7), ("7-14", 14))
"""Days since a case was opened: [from, to). What is older is `14+`."""
OLDEST_BAND = "14+"
DIMENSIONS = ("band", "owner", "org_unit", "track")

_STANDING = """
WITH respondent AS (
  SELECT s.response_id,
    coalesce(s.track, min(c.state->>'track'), 'unscored') AS track,
    coalesce(min(c.org_unit), s.org_unit, '') AS org_unit,
    CASE WHEN count(c.id) = 0 THEN 'without_case'
         WHEN bool_or(promise.state = 'breached') THEN 'late'
         WHEN bool_and(promise.state = 'met') THEN 'in_time'
         ELSE 'pending' END AS standing
  FROM response_seen s
  LEFT JOIN customer_case c ON c.response_id = s.response_id
  LEFT JOIN LATERAL (
    SELECT clock->>'state' AS state FROM jsonb_array_elements(c.state->'clocks') AS clock
    ORDER BY array_position(ARRAY['contact', 'resolve', 'acknowledge'], clock->>'kind') LIMIT 1
  ) AS promise ON true
  WHERE s.day >= $1 AND s.day < $2
  GROUP BY s.response_id, s.track, s.org_unit
)
SELECT CASE WHEN grouping(track) = 0 THEN track END AS track,
       CASE WHEN grouping(org_unit) = 0 THEN org_unit END AS org_unit,
       count(*) AS respondents,
       count(*) FILTER (WHERE standing = 'pending') AS pending,
       count(*) FILTER (WHERE standing = 'in_time') AS in_time,
       count(*) FILTER (WHERE standing = 'late') AS late,
       count(*) FILTER (WHERE standing = 'without_case') AS without_case
FROM respondent WHERE $3::text[] IS NULL OR org_unit = ANY($3)
GROUP BY GROUPING SETS ((), (track), (org_unit), (track, org_unit))
ORDER BY 1 NULLS FIRST, 2 NULLS FIRST
"""
"""A respondent's track is the class of the NPS, else that of a case; the team is the unit whose case it is, else the one
the interaction was at. Followed up in time: the promise to contact was kept in every case of theirs (where none was made,
that to resolve, else to acknowledge)."""

_RESULTS = """
SELECT c.state->>'track' AS track, c.state->>'result' AS result, count(*) AS cases
FROM customer_case c JOIN response_seen s ON s.response_id = c.response_id
WHERE s.day >= $1 AND s.day < $2 AND c.state->>'result' IS NOT NULL AND ($3::text[] IS NULL OR c.org_unit = ANY($3))
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of those who answered, how many were followed up; `track` and `org_unit` None: of all, '' a unit not known."""

    track: str | None
    org_unit: str | None
    respondents: int
    pending: int
    in_time: int
    late: int
    without_case: int


@dataclass(frozen=True, slots=True)
class Results:
    """How many cases of a track ended in an outcome of its playbook."""

    track: str
    result: str
    cases: int


@dataclass(frozen=True, slots=True)
class Pile:
    """Open cases that have one thing in common; `dimension` None: all of them. `unattended`: nobody has acted."""

    dimension: str | None
    value: str | None
    open: int
    breached: int
    escalated: int
    unattended: int
    paused: int
    oldest_opened_at: datetime | None


async def standings(
    session: AsyncSession, start: date, end: date, units: Sequence[str] | None
) -> list[Standing]:
    """Of those who answered in [start, end): in all, by track, by team and by both."""
    return [Standing(*row) for row in await sql(session, _STANDING, start, end, units)]


async def results(
    session: AsyncSession, start: date, end: date, units: Sequence[str] | None
) -> list[Results]:
    """What came of their cases."""
    return [Results(*row) for row in await sql(session, _RESULTS, start, end, units)]


async def piles(session: AsyncSession, wanted: Sequence[ColumnElement[bool]], *, now: datetime) -> list[Pile]:
    """The open cases that meet the conditions: in all, then by age band, owner, unit and track."""
    ages = [(CaseRow.opened_at > now - timedelta(days=days), literal(name)) for name, days in BANDS]
    columns: list[ColumnElement[Any]] = [
        case(*ages, else_=literal(OLDEST_BAND)).label("band"),
        CaseRow.owner.label("owner"),
        func.coalesce(CaseRow.org_unit, "").label("org_unit"),
        CaseRow.state["track"].astext.label("track"),
    ]
    found = (
        select(
            *columns,
            CaseRow.opened_at,
            CaseRow.breached,
            CaseRow.escalated_to.is_not(None).label("escalated"),
            CaseRow.status.in_(("new", "assigned")).label("unattended"),
            CaseRow.state["clocks"].contains([{"state": "paused"}]).label("paused"),
        )
        .where(CaseRow.status.not_in(("resolved", "closed")), *wanted)
        .subquery()
    )
    by = [found.c[name] for name in DIMENSIONS]
    statement = (
        select(
            *by,
            *(func.grouping(column) for column in by),
            func.count(),
            *(
                func.count().filter(found.c[name])
                for name in ("breached", "escalated", "unattended", "paused")
            ),
            func.min(found.c.opened_at),
        )
        .group_by(func.grouping_sets(tuple_(), *by))
        .order_by(*by)
    )
    rows = (await session.execute(statement)).all()
    return [_pile(tuple(row)) for row in rows]


def _pile(row: tuple[Any, ...]) -> Pile:
    width = len(DIMENSIONS)
    values, grouped_away, figures = row[:width], row[width : 2 * width], row[2 * width :]
    named = [place for place in range(width) if not grouped_away[place]]
    if not named:
        return Pile(None, None, *figures)
    return Pile(DIMENSIONS[named[0]], values[named[0]], *figures)
