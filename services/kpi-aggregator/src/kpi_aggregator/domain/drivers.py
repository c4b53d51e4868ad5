"""What drives a figure: its points, cause by cause."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from kpi_aggregator.domain.complement import hidden_parts
from kpi_aggregator.domain.contribution import Contribution, Entry
from kpi_aggregator.domain.figure import shown_interval, shown_value, weight_text
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope, marks
from kpi_aggregator.domain.sums import NOTHING, Sums, counted
from kpi_aggregator.domain.tree import Tree

NO_CAUSE = ""
"""Stands for answers, or parts of them, without a cause."""


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. `impact`: the points of the figure that come from here; over all causes they sum to its value."""

    cause: str | None
    n: int | None = None
    weight: str | None = None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    value: float | None = None
    ci95: tuple[float, float] | None = None
    impact: float | None = None
    suppressed: bool


def by_cause(contribution: Contribution, scope: Scope, tree: Tree) -> dict[str, int]:
    """Cause → the part of the response's weight in the scope, in millionths; the parts sum to that weight.

    In view "all" a response is split as its whole ledger is, in view "influenced" the scope's own lines count.
    """
    if scope.view == "all" or scope.scope_type == "organisation":
        lines: Iterable[Entry] = contribution.entries if scope in marks(contribution, tree) else ()
    else:
        lines = _own_lines(contribution, scope, tree)
    weights: defaultdict[str, int] = defaultdict(int)
    for entry in lines:
        if entry.share > 0:
            weights[entry.cause or NO_CAUSE] += entry.share
    return dict(weights)


def _own_lines(contribution: Contribution, scope: Scope, tree: Tree) -> Iterator[Entry]:
    for entry in contribution.entries:
        is_person = entry.subject_type == "employee"
        if scope.scope_type == "employee":
            counts = is_person and entry.subject_id == scope.scope_id
        elif scope.scope_type == "role":
            counts = is_person and entry.role == scope.scope_id
        else:
            unit = entry.org_unit if is_person else entry.subject_id
            named = unit is not None and entry.subject_type != "organisation"
            counts = named and scope.scope_id in tree.line(unit or "")
        if counts:
            yield entry


def drivers(
    contributions: Iterable[Contribution], kpi: str, scope: Scope, tree: Tree, *, min_n: int
) -> list[Driver]:
    """What costs most first, the suppressed ones last; nothing at all where the scope itself is too small."""
    scale = SCALES[kpi]
    sums: defaultdict[str, Sums] = defaultdict(Sums)
    n = 0
    for contribution in contributions:
        parts = by_cause(contribution, scope, tree) if kpi in contribution.scores else {}
        n += bool(parts)
        for cause, weight in parts.items():
            sums[cause] = sums[cause].plus(counted(scale, contribution.scores[kpi], weight))
    if n < min_n:
        return []
    whole = sum((one.w for one in sums.values()), NOTHING.w)
    hidden = hidden_parts({cause: one.n for cause, one in sums.items()}, min_n=min_n)
    shown = [
        Driver(
            cause=cause or None,
            n=one.n,
            weight=weight_text(one.w),
            promoters=one.promoters,
            passives=one.passives,
            detractors=one.detractors,
            value=shown_value(scale, one),
            ci95=shown_interval(scale, one),
            impact=round(scale.factor * one.wx / whole, 2) + 0.0,
            suppressed=False,
        )
        for cause, one in sums.items()
        if cause not in hidden
    ]
    shown.sort(key=lambda one: (one.impact, one.cause or ""))
    return shown + [Driver(cause=cause or None, suppressed=True) for cause in sorted(hidden)]
