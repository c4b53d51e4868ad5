"""The frozen facts of a period as kpi-aggregator hands them over, and looking figures up in them."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from bonus.domain.plan import View

ScopeType = Literal["employee", "org_unit", "organisation", "cause"]
ORGANISATION = "all"  # the id of the scope `organisation`


class Prior(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """What a score was shrunk towards: μ and the spread τ between subjects, in the KPI's points."""

    mean: Decimal
    sd_between: Decimal


class Invited(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """How many of a person's customers could have been asked, and how many were."""

    eligible: int
    sent: int


class Figure(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """One score. Suppressed: too few responses to show, everything measured is None. `kpi` is a component's measure.

    `value` has one decimal and is None without responses; `reliability` is λ in 0…1.
    """

    kpi: str
    scope_type: ScopeType
    scope_id: str
    view: View
    n: int | None = None
    value: Decimal | None = None
    ci95: tuple[Decimal, Decimal] | None = None
    reliability: Decimal | None = None
    prior: Prior | None = None
    suppressed: bool = False

    @property
    def score(self) -> Decimal | None:
        """The value that may be paid on."""
        return None if self.suppressed else self.value


class ShareEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a response's attribution; `share` is a decimal of at most 1."""

    subject_type: str
    subject_id: str
    share: Decimal
    reason: str
    cause: str | None = None


class TookPart(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took part in what the response is about."""

    employee: str
    verified: bool = True
    excluded: bool = False


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One response in the snapshot."""

    response_id: str
    category: str | None = None
    segments: dict[str, str] = {}
    entries: tuple[ShareEntry, ...] = ()
    participants: tuple[TookPart, ...] = ()


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """As much of what was frozen beside the responses as pay needs: unit → the one above it."""

    parents: dict[str, str | None] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the aggregator froze for one KPI and one period. `content_hash` covers figures and contributions.

    Contributions stay the JSON they came as (`Contribution`) until somebody's statement is read. `coverage`: employee →
    invitations; who is not in it is unknown.
    """

    id: str
    kpi: str
    period: dict[str, date]
    content_hash: str
    figures: tuple[Figure, ...]
    contributions: tuple[msgspec.Raw, ...] = ()
    coverage: dict[str, Invited] = {}
    circumstances: Circumstances = Circumstances()


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A response that is no longer what it was when the snapshot was taken; `before` or `after` may be missing."""

    response_id: str
    kind: str
    before: Contribution | None = None
    after: Contribution | None = None


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot's figures would be today; responses erased since stay as they were frozen."""

    snapshot: str
    changed: tuple[Changed, ...]
    figures: tuple[Figure, ...]


FigureKey = tuple[str, str, str, str]
"""Measure, scope type, scope id, view."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures by measure, scope and view; and by employee how many of their customers were invited."""

    by_key: MutableMapping[FigureKey, Figure]
    coverage: Mapping[str, Invited] = field(default_factory=dict)

    @classmethod
    def of(cls, figures: Iterable[Figure], coverage: Mapping[str, Invited] | None = None) -> "Figures":
        return cls({(f.kpi, f.scope_type, f.scope_id, f.view): f for f in figures}, coverage or {})

    def employee(self, kpi: str, id: str, view: View) -> Figure | None:
        return self.by_key.get((kpi, "employee", id, view))

    def unit(self, kpi: str, id: str, view: View) -> Figure | None:
        return self.by_key.get((kpi, "org_unit", id, view))

    def organisation(self, kpi: str, view: View) -> Figure | None:
        """The two views of the organisation are equal, so either answers for the other."""
        other = "influenced" if view == "all" else "all"
        key = (kpi, "organisation", ORGANISATION)
        return self.by_key.get((*key, view)) or self.by_key.get((*key, other))

    def with_more(self, figures: Iterable[Figure], coverage: Mapping[str, Invited]) -> "Figures":
        """These and more."""
        return Figures({**self.by_key, **Figures.of(figures).by_key}, {**self.coverage, **coverage})

    def with_value(self, figure: Figure, value: Decimal) -> "Figures":
        """The same figures, one of them with another value."""
        key = (figure.kpi, figure.scope_type, figure.scope_id, figure.view)
        changed: dict[FigureKey, Figure] = {key: msgspec.structs.replace(figure, value=value)}
        return Figures(ChainMap(changed, self.by_key), self.coverage)


def coverage_of(snapshots: Iterable[Snapshot]) -> dict[str, Invited]:
    """Invitations do not depend on the KPI: every snapshot of the period says the same of a person."""
    return {employee: invited for one in snapshots for employee, invited in one.coverage.items()}


def reliability(figure: Figure) -> Fraction | None:
    return None if figure.reliability is None else Fraction(figure.reliability)
