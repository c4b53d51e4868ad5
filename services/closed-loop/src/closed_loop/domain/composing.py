"""From facts and figures to a digest."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from closed_loop.domain.digest import (
    COMPARED,
    Action,
    Digest,
    Driver,
    Facts,
    Figure,
    FigureAsked,
    Kept,
    Notice,
    OpenCase,
    Programme,
    ProgrammeFacts,
    Team,
    TeamFacts,
    TeamTrend,
)
from closed_loop.domain.trend import Answers, trend

ROLLING = timedelta(days=90)
PATTERN = 3
"""So many cases of one cause are worth a conversation."""


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
        actions=[
            *(_case_action(case, link, now) for case in facts.cases),
            *(_notice_action(notice, link) for notice in facts.notices),
        ],
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


def _notice_action(notice: Notice, link: str) -> Action:
    """Every kind of subject is found under its name in the plural."""
    subject = notice.subject_type.replace("_", "-")
    text = f"{notice.kind.replace('_', ' ')}: {notice.subject_type.replace('_', ' ')} {notice.subject_id}."
    return Action("notice", text, f"{link}/v1/{subject}s/{notice.subject_id}")
