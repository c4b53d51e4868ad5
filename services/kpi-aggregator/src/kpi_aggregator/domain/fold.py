"""Contributions folded into figures' sums: by day for the buckets, over a whole range for a frozen set."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from kpi_aggregator.domain.contribution import Contribution
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope, ScopeType, View, marks
from kpi_aggregator.domain.sums import NOTHING, Sums, counted
from kpi_aggregator.domain.tree import Tree


class BucketKey(NamedTuple):
    """One day of one scope's figure; the shard keeps apart what different log partitions add to."""

    kpi: str
    scope_type: ScopeType
    scope_id: str
    view: View
    day: date
    shard: int


Buckets = dict[BucketKey, Sums]


class Placed(NamedTuple):
    """A contribution and the shard its buckets lie in."""

    contribution: Contribution
    shard: int


def add(buckets: Buckets, placed: Placed, tree: Tree) -> None:
    """Count the contribution in every bucket it belongs to, in place."""
    for key, sums in _bucketed(placed, tree):
        buckets[key] = buckets.get(key, NOTHING).plus(sums)


def take(buckets: Buckets, placed: Placed, tree: Tree) -> None:
    """Take the contribution out of every bucket it was counted in, in place."""
    for key, sums in _bucketed(placed, tree):
        buckets[key] = buckets.get(key, NOTHING).minus(sums)


def changed(buckets: Buckets) -> Buckets:
    """Only the buckets that hold anything, ordered by key, so that concurrent writers lock in one order."""
    return {key: buckets[key] for key in sorted(buckets) if any(buckets[key])}


def by_month(buckets: Buckets) -> Buckets:
    """The sums of each month's days, under the month's first day."""
    months: Buckets = {}
    for key, sums in buckets.items():
        month = key._replace(day=key.day.replace(day=1))
        months[month] = months.get(month, NOTHING).plus(sums)
    return changed(months)


def totals(contributions: Iterable[Contribution], kpi: str, tree: Tree) -> dict[Scope, Sums]:
    """One sum per scope over all these contributions that answer the KPI's question."""
    scale = SCALES[kpi]
    sums: dict[Scope, Sums] = {}
    for contribution in contributions:
        score = contribution.scores.get(kpi)
        if score is None:
            continue
        for scope, weight in marks(contribution, tree).items():
            sums[scope] = sums.get(scope, NOTHING).plus(counted(scale, score, weight))
    return sums


def _bucketed(placed: Placed, tree: Tree) -> Iterator[tuple[BucketKey, Sums]]:
    contribution, shard = placed
    if not contribution.scores:
        return
    weights = marks(contribution, tree)
    for kpi, score in contribution.scores.items():
        of_weight = {weight: counted(SCALES[kpi], score, weight) for weight in set(weights.values())}
        for scope, weight in weights.items():
            yield BucketKey(kpi, *scope, contribution.day, shard), of_weight[weight]
