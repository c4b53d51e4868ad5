"""What each role is told once a week: facts and figures in, a digest out. Every trigger has the link to act.

An employee hears of themselves, their units and the organisation; a manager also of the units led; an executive, who leads
the whole, also of what drives the score and how the programme does. Nobody hears more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from closed_loop.domain.trend import Trend

Kind = Literal["employee", "manager", "executive"]

COMPARED = timedelta(days=28)
"""What trends, causes and promises are told of, and compared with as long before."""


@dataclass(frozen=True, slots=True)
class FigureAsked:
    """An NPS figure of the local days [start, end)."""

    scope_type: Literal["employee", "org_unit", "organisation", "cause"]
    scope_id: str
    view: Literal["all", "influenced"]
    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """As kpi-aggregator tells it; nothing measured when there are too few answers."""

    asked: FigureAsked
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    n_eff: float | None
    promoters: float | None
    detractors: float | None
    suppressed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """`due_at` of the promise that comes next, None while paused."""

    id: UUID
    track: str
    owner: str
    opened_at: datetime
    breached: bool
    promise: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something somebody was told and has not looked at yet."""

    kind: str
    subject_type: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class Praise:
    """One line of the feed."""

    id: UUID
    kind: str
    recipient: str
    giver: str | None
    cause: str | None
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, and where."""

    kind: str
    text: str
    link: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open cases by how long they have been open."""

    under_1_day: int = 0
    under_3_days: int = 0
    under_7_days: int = 0
    older: int = 0
    breached: int = 0


@dataclass(frozen=True, slots=True)
class TeamTrend:
    """A unit's score on the last 28 days, on the 28 before, and the difference; None where too few answered."""

    org_unit: str
    now: Figure
    before: Figure
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class Driver:
    """A cause that customers complained of: cases opened, and its score where enough answered."""

    cause: str
    cases: int
    figure: Figure


@dataclass(frozen=True, slots=True)
class Kept:
    """How many promises of a kind were kept and broken, of those whose time came."""

    promise: str
    met: int
    breached: int
    share_in_time: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """Of the units led. `causes`: of the cases opened in the last 28 days; `praise`: of the week."""

    units: tuple[str, ...]
    ageing: Ageing
    oldest: Sequence[OpenCase]
    causes: Mapping[str, int]
    praise: Sequence[Praise]
    never_recognised: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFacts:
    """Of the whole organisation, on the last 28 days. `promises`: (kind, state of its clock) → how many."""

    opened: int
    still_open: int
    promises: Mapping[tuple[str, str], int]
    recognitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What closed-loop knows; `own_units` are somebody's posts."""

    employee: str
    kind: Kind
    starts: date
    ends: date
    own_units: tuple[str, ...]
    cases: Sequence[OpenCase]
    notices: Sequence[Notice]
    praise: Sequence[Praise]
    team: TeamFacts | None = None
    programme: ProgrammeFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    ageing: Ageing
    oldest: list[Action]
    trends: list[TeamTrend]
    coaching: list[Action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    organisation: TeamTrend
    drivers: list[Driver]
    opened: int
    still_open: int
    promises: list[Kept]
    recognitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """`own_new`: the answers of these days; `own`: rolling; `units` and `organisation`: the same for all to see."""

    employee: str
    kind: Kind
    starts: date
    ends: date
    own_new: Figure
    own: Figure
    units: list[Figure]
    organisation: Figure
    wins: list[Praise]
    thanks: list[Praise]
    actions: list[Action]
    team: Team | None = None
    programme: Programme | None = None
    names: dict[str, str] = field(default_factory=dict)
