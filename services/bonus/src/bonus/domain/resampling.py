"""What the same people might have scored with other customers answering: frozen responses drawn again, in blocks.

A block bootstrap (Künsch, 1989): blocks are drawn with replacement, as many as there are, and the figures folded anew.
Customers are not frozen with a period, so a block is a week, whose answers share what happened in it; in a period with
fewer than eight weeks it is a single response.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec
from msgspec import UNSET

from bonus.domain.money import displayed
from bonus.domain.plan import Component
from bonus.domain.snapshot import ORGANISATION, Figure, FigureKey, Figures, Snapshot

ENOUGH_WEEKS = 8
WHOLE = 1_000_000
POINTS: Mapping[str, Mapping[str, int]] = {
    "nps": {"promoter": 100, "passive": 0, "detractor": -100},
    "csat": {"promoter": 100, "passive": 0, "detractor": 0},
}
"""What an answer of a category is worth; CES is the mean of the answers themselves."""

Blocks = Literal["week", "response"]


class Line(msgspec.Struct, frozen=True):
    subject_type: str
    subject_id: str
    share: Decimal
    org_unit: str | None = None


class Took(msgspec.Struct, frozen=True):
    employee: str
    org_unit: str | None = None
    verified: bool = True
    excluded: bool = False


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a frozen response as figures are folded from."""

    response_id: str
    day: date
    score: int
    category: str
    org_unit: str | None = None
    entries: tuple[Line, ...] = ()
    participants: tuple[Took, ...] = ()
    segments: dict[str, str] = {}


Mass = tuple[int, int, int]
"""Σw and Σw·x in millionths, and how many responses."""
_decode = msgspec.json.Decoder(Drawn).decode


@dataclass(frozen=True, slots=True)
class Pile:
    """The responses of a period, by block, as what each block brings to each figure that may be paid on."""

    blocks: Sequence[Mapping[FigureKey, Mass]]
    by: Blocks
    figures: Figures

    def drawn(self, chance: random.Random) -> Figures:
        """The figures of as many blocks, drawn with replacement."""
        return self.weighted(Counter(chance.choices(range(len(self.blocks)), k=len(self.blocks))))

    def halves(self, chance: random.Random) -> tuple[Figures, Figures]:
        """The figures of a random half of the blocks, and those of the rest."""
        places = list(range(len(self.blocks)))
        chance.shuffle(places)
        middle = len(places) // 2
        return self.weighted(Counter(places[:middle])), self.weighted(Counter(places[middle:]))

    def weighted(self, times: Mapping[int, int]) -> Figures:
        """Each block so many times. Who had too few responses to be shown stays hidden; λ, prior and coverage stay as they were frozen."""
        weight: dict[FigureKey, int] = defaultdict(int)
        points: dict[FigureKey, int] = defaultdict(int)
        counts: dict[FigureKey, int] = defaultdict(int)
        for place, often in times.items():
            for key, (w, wx, n) in self.blocks[place].items():
                weight[key] += often * w
                points[key] += often * wx
                counts[key] += often * n
        changed = {
            key: msgspec.structs.replace(
                figure, value=_value(key[0], weight[key], points[key]), n=counts[key]
            )
            for key, figure in self.figures.by_key.items()
            if figure.score is not None
        }
        return Figures({**self.figures.by_key, **changed}, self.figures.coverage)


def pile(snapshots: Iterable[Snapshot], components: Sequence[Component], figures: Figures) -> Pile:
    """The frozen responses behind the figures of these components. `figures` are those frozen."""
    weeks: dict[str, dict[FigureKey, Mass]] = defaultdict(dict)
    single: dict[str, dict[FigureKey, Mass]] = defaultdict(dict)
    for snapshot in snapshots:
        measures = [c for c in components if c.kpi == snapshot.kpi]
        for raw in snapshot.contributions:
            response = _decode(raw)
            brought = _brought(response, snapshot, measures, figures)
            year, week, _ = response.day.isocalendar()
            _add(weeks[f"{year}-{week:02}"], brought)
            _add(single[response.response_id], brought)
    by: Blocks = "week" if len(weeks) >= ENOUGH_WEEKS else "response"
    chosen = weeks if by == "week" else single
    return Pile([chosen[name] for name in sorted(chosen)], by, figures)


def _brought(
    response: Drawn, snapshot: Snapshot, components: Sequence[Component], figures: Figures
) -> dict[FigureKey, Mass]:
    weights = _weights(response, snapshot.circumstances.parents)
    x = POINTS[snapshot.kpi][response.category] if snapshot.kpi in POINTS else response.score
    found: dict[FigureKey, Mass] = {}
    for component in components:
        if component.segments is not UNSET and not component.segments.hold(response.segments):
            continue
        for (scope_type, scope_id, view), w in weights.items():
            key = (component.measure, scope_type, scope_id, view)
            if view == component.view and key in figures.by_key:
                found[key] = (w, w * x, 1)
        everybody = figures.organisation(component.measure, component.view)
        if everybody is not None:
            found[component.measure, "organisation", ORGANISATION, everybody.view] = (WHOLE, WHOLE * x, 1)
    return found


def _weights(response: Drawn, parents: Mapping[str, str | None]) -> dict[tuple[str, str, str], int]:
    """Scope and view → weight in millionths, by the rules of the two views: once in "all", the shares when influenced."""
    weights: dict[tuple[str, str, str], int] = defaultdict(int)
    out = {took.employee for took in response.participants if took.excluded}
    touched = {response.org_unit}
    for took in response.participants:
        if took.verified and took.employee not in out:
            weights["employee", took.employee, "all"] = WHOLE
            touched.add(took.org_unit)
    for line in response.entries:
        share = int(line.share * WHOLE)
        if share == 0 or line.subject_type == "organisation":
            continue
        unit: str | None = line.subject_id
        if line.subject_type == "employee":
            weights["employee", line.subject_id, "influenced"] += share
            unit = line.org_unit
        else:
            touched.add(line.subject_id)
        for above in _line(unit, parents):
            weights["org_unit", above, "influenced"] += share
    for unit in touched:
        for above in _line(unit, parents):
            weights["org_unit", above, "all"] = WHOLE
    return weights


def _line(unit: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """The unit and everything above it."""
    line: list[str] = []
    while unit is not None and unit not in line:
        line.append(unit)
        unit = parents.get(unit)
    return line


def _add(to: dict[FigureKey, Mass], brought: Mapping[FigureKey, Mass]) -> None:
    for key, (w, wx, n) in brought.items():
        before = to.get(key, (0, 0, 0))
        to[key] = (before[0] + w, before[1] + wx, before[2] + n)


def _value(measure: str, weight: int, points: int) -> Decimal | None:
    """As it is displayed; None without responses."""
    if weight == 0:
        return None
    if measure.partition("|")[0] in POINTS:
        return displayed(Fraction(points, weight))
    return Decimal(round(Fraction(100 * points, weight))).scaleb(-2)


def frozen_figures(snapshots: Iterable[Snapshot]) -> list[Figure]:
    return [figure for snapshot in snapshots for figure in snapshot.figures]
