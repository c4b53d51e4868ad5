"""What each role is told once a week: facts and figures in, a digest out. Every trigger has the link to act.

An employee hears of themselves, their units and the organisation; a manager also of the units led; an executive, who leads
the whole, also of what drives the score and how the programme does. Nobody hears more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from closed_loop.domain.trend import Answers, Trend, trend

Kind = Literal["employee", "manager", "executive"]

ROLLING = timedelta(days=90)
COMPARED = timedelta(days=28)
PATTERN = 3
"""So many cases of one cause are worth a conversation."""


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
    """Of the units led. `causes`: of the cases opened in the last 28 days; `praise` and `unthanked`: of the week."""

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


class Wanted:
    """Which figures a digest needs, each by its name here."""

    def __init__(self, facts: Facts) -> None:
        end = facts.ends
        month, earlier = end - COMPARED, end - 2 * COMPARED
        me = facts.employee
        self.own_new = FigureAsked("employee", me, "all", facts.starts, end)
        self.own = FigureAsked("employee", me, "influenced", end - ROLLING, end)
        self.units = [FigureAsked("org_unit", unit, "all", end - ROLLING, end) for unit in facts.own_units]
        self.organisation = FigureAsked("organisation", "all", "all", end - ROLLING, end)
        self.trends = {
            unit: (
                FigureAsked("org_unit", unit, "all", earlier, month),
                FigureAsked("org_unit", unit, "all", month, end),
            )
            for unit in (facts.team.units if facts.team else ())
        }
        self.whole = (
            FigureAsked("organisation", "all", "all", earlier, month),
            FigureAsked("organisation", "all", "all", month, end),
        )
        executive = facts.programme is not None and facts.team is not None
        causes = facts.team.causes if executive and facts.team else {}
        self.drivers = {
            cause: FigureAsked("cause", cause, "all", month, end)
            for cause in sorted(causes, key=lambda cause: (-causes[cause], cause))[:5]
        }
        asked = [self.own_new, self.own, *self.units, self.organisation]
        asked += [one for pair in self.trends.values() for one in pair]
        asked += [*self.whole, *self.drivers.values()] if executive else []
        self.all = list(dict.fromkeys(asked))


def compose(facts: Facts, figures: Sequence[Figure], *, link: str, now: datetime) -> Digest:
    """The digest. `figures`: those `Wanted(facts).all` asks for; `link`: what links begin with."""
    wanted = Wanted(facts)
    by = {figure.asked: figure for figure in figures}
    return Digest(
        employee=facts.employee,
        kind=facts.kind,
        starts=facts.starts,
        ends=facts.ends,
        own_new=by[wanted.own_new],
        own=by[wanted.own],
        units=[by[one] for one in wanted.units],
        organisation=by[wanted.organisation],
        wins=[one for one in facts.praise if one.kind != "thanks"],
        thanks=[one for one in facts.praise if one.kind == "thanks"],
        actions=[_case_action(case, link, now) for case in facts.cases],
        team=_team(facts.team, wanted, by, link=link, now=now) if facts.team else None,
        programme=_programme(facts.programme, facts.team, wanted, by)
        if facts.programme and facts.team
        else None,
    )


def _team(
    team: TeamFacts, wanted: Wanted, by: Mapping[FigureAsked, Figure], *, link: str, now: datetime
) -> Team:
    return Team(
        ageing=team.ageing,
        oldest=[_case_action(case, link, now) for case in team.oldest],
        trends=[_compared(unit, *(by[one] for one in pair)) for unit, pair in wanted.trends.items()],
        coaching=coaching(team, link),
    )


def coaching(team: TeamFacts, link: str) -> list[Action]:
    """What is worth a conversation: a cause that comes back, praise to pass on, and who is never heard of."""
    moments = [
        Action("pattern", f"{count} cases named {cause} in four weeks.", f"{link}/v1/cases?status=assigned")
        for cause, count in sorted(team.causes.items(), key=lambda one: (-one[1], one[0]))
        if count >= PATTERN
    ]
    praised: dict[str, int] = {}
    for one in team.praise:
        if one.kind != "thanks":
            praised[one.recipient] = praised.get(one.recipient, 0) + 1
    moments += [
        Action(
            "praise",
            f"{who} had {count} {'win' if count == 1 else 'wins'}: say so.",
            f"{link}/v1/recognitions?employee={who}",
        )
        for who, count in sorted(praised.items())
    ]
    if team.never_recognised:
        names = ", ".join(team.never_recognised)
        moments.append(
            Action(
                "never_recognised",
                f"Nobody thanked or praised in four weeks: {names}.",
                f"{link}/v1/recognitions/missing",
            )
        )
    return moments


def _programme(
    programme: ProgrammeFacts, team: TeamFacts, wanted: Wanted, by: Mapping[FigureAsked, Figure]
) -> Programme:
    kinds = sorted({kind for kind, _ in programme.promises})
    kept = []
    for kind in kinds:
        met = programme.promises.get((kind, "met"), 0)
        breached = programme.promises.get((kind, "breached"), 0)
        share = round(met / (met + breached), 3) if met + breached else None
        kept.append(Kept(kind, met, breached, share))
    return Programme(
        organisation=_compared("all", *(by[one] for one in wanted.whole)),
        drivers=[Driver(cause, team.causes[cause], by[asked]) for cause, asked in wanted.drivers.items()],
        opened=programme.opened,
        still_open=programme.still_open,
        promises=kept,
        recognitions=programme.recognitions,
    )


def _compared(unit: str, before: Figure, now: Figure) -> TeamTrend:
    return TeamTrend(
        unit, now, before, trend(_answers(before), _answers(now)) if _told(before, now) else None
    )


def _told(*figures: Figure) -> bool:
    return not any(figure.suppressed or not figure.n_eff for figure in figures)


def _answers(figure: Figure) -> Answers:
    return Answers(figure.n_eff or 0.0, figure.promoters or 0.0, figure.detractors or 0.0)


def _case_action(case: OpenCase, link: str, now: datetime) -> Action:
    late = case.breached or (case.due_at is not None and case.due_at <= now)
    promise = case.promise or "resume"
    text = f"{'Overdue: ' if late else ''}{promise} the {case.track}'s case of {case.owner}."
    return Action("overdue" if late else "case", text, f"{link}/v1/cases/{case.id}", case.due_at)
