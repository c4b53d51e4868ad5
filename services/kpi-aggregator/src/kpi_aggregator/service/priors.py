"""The prior of a peer group: made of all its peers' sums, and kept for a minute where that is much work.

Only what a figure is shrunk towards may be that old, never its own sums, the settings, or a frozen figure, on which
payouts rest: `domain.frozen` makes its priors of the frozen facts themselves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.peers import PeerGroup, prior_for
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.reliability import Prior
from kpi_aggregator.domain.settings import KpiSettings
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.buckets import sums_of_all, sums_of_some

KEPT_FOR = timedelta(minutes=1)
_FORGOTTEN_AFTER = timedelta(hours=1)
MUCH = 2_000
"""Buckets; a prior made of fewer is made anew every time."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a prior was asked for; under other settings or for another group it is another prior."""

    kpi: str
    group: PeerGroup
    days: Days
    settings: KpiSettings


@dataclass(slots=True)
class _Kept:
    prior: Prior
    made_at: datetime
    renewing: bool = False

    def is_fresh(self, now: datetime) -> bool:
        return timedelta() <= now - self.made_at < KEPT_FOR


_kept: WeakKeyDictionary[object, dict[Question, _Kept]] = WeakKeyDictionary()  # by database


async def prior_of_group(
    session: AsyncSession, question: Question, scope: Scope, tree: Tree, *, now: datetime
) -> Prior:
    """The prior of the scope's peers. While one reader renews it the others go on with the one that is kept."""
    kept = _kept.setdefault(session.get_bind(), {})
    held = kept.get(question)
    if held is not None and (held.renewing or held.is_fresh(now)):
        return held.prior
    if held is not None:
        held.renewing = True
    try:
        prior, buckets = await _make(session, question, scope, tree)
    finally:
        if held is not None:
            held.renewing = False
    _forget_old(kept, now)
    if buckets > MUCH:
        kept[question] = _Kept(prior, now)
    return prior


async def _make(session: AsyncSession, question: Question, scope: Scope, tree: Tree) -> tuple[Prior, int]:
    """The prior as of now, and of how many buckets it was made."""
    kpi, days = question.kpi, question.days
    if scope.scope_type == "employee":
        peers = await sums_of_all(session, kpi, scope.scope_type, view=scope.view, days=days)
    else:
        beside = [unit for unit in tree.parents if tree.parents[unit] == tree.parents.get(scope.scope_id)]
        units = sorted({*beside, scope.scope_id})
        peers = await sums_of_some(session, kpi, scope.scope_type, units, view=scope.view, days=days)
    prior = prior_for(kpi, peers.sums.values(), question.settings)
    return prior, peers.buckets


def _forget_old(kept: dict[Question, _Kept], now: datetime) -> None:
    for question in [q for q, held in kept.items() if now - held.made_at > _FORGOTTEN_AFTER]:
        del kept[question]
