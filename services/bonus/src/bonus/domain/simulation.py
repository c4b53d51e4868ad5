"""Candidate plans replayed on a closed period: who would have got what, what it would have cost, and how much of it is chance."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

import msgspec

from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Plan
from bonus.domain.resampling import Blocks, Pile, frozen_figures, pile
from bonus.domain.settlement import Settled, settle
from bonus.domain.snapshot import Figures, Snapshot, coverage_of
from bonus.domain.standing import Standing
from bonus.domain.tenure import tenure

SPLITS = 50


@dataclass(frozen=True, slots=True)
class Past:
    """A closed period: what it was calculated from, and what was approved."""

    period: str
    plan: Plan
    standing: Standing
    snapshots: Mapping[str, Snapshot]
    approved: Sequence[Settled]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """`before_minor` was approved; `difference_minor` is what the candidate would have changed."""

    employee: str
    org_unit: str | None
    payout_minor: int
    before_minor: int
    difference_minor: int


class UnitImpact(msgspec.Struct, frozen=True, kw_only=True):
    """The people who worked most of their days in one unit (None: in no unit)."""

    org_unit: str | None
    people: int
    total_minor: int
    before_minor: int
    difference_minor: int


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """How the outcome would vary with other customers answering.

    `noise_share`: mean variance of one person's payout over the draws, over the variance between the people's payouts, at
    most 1; None when everybody gets the same. `split_half_rank_correlation`: Spearman's, of the payouts on two random
    halves of the responses, on average; None when a half has nothing to rank.
    """

    blocks: Blocks
    number_of_blocks: int
    replicates: int
    cost_p5_minor: int
    cost_p50_minor: int
    cost_p95_minor: int
    noise_share: float | None
    split_half_rank_correlation: float | None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate on one period. `missing`: why it could not be computed; then nobody is listed."""

    period: str
    currency: str
    total_minor: int
    before_minor: int
    unspent_minor: int
    people: tuple[Person, ...] = ()
    units: tuple[UnitImpact, ...] = ()
    chance: Chance | None = None
    missing: str | None = None
    notes: tuple[str, ...] = ()


def replay(plan: Plan, past: Past, *, replicates: int, seed: int) -> Replay:
    """What `plan` would have paid in that period. Without payees it is about those of the period's own plan."""
    notes = []
    if not plan.payees:
        everybody = (msgspec.structs.replace(payee, weights={}) for payee in past.plan.payees)
        plan = msgspec.structs.replace(plan, payees=tuple(everybody))
    if plan.by_level and not past.plan.by_level:
        notes.append("seniority was not frozen with this period: weights are by role only")
    before = {one.employee: one.payout for one in past.approved}
    coverage = coverage_of(past.snapshots.values())
    figures = Figures.of(frozen_figures(past.snapshots.values()), coverage)
    total_before = sum(before.values())
    try:
        settled, unspent = settle(plan, past.standing, figures)
    except MissingFigureError as error:
        return Replay(
            period=past.period,
            currency=plan.currency,
            total_minor=0,
            before_minor=total_before,
            unspent_minor=0,
            missing=str(error),
        )
    people = [_person(one, past.standing, before) for one in settled]
    chance = None
    if replicates:
        drawn = pile(past.snapshots.values(), plan.components, figures)
        chance = _chance(plan, past.standing, drawn, settled, replicates=replicates, seed=seed)
        if chance is None:
            notes.append(
                "without responses, or with draws in which a figure is missing, nothing is said of chance"
            )
    return Replay(
        period=past.period,
        currency=plan.currency,
        total_minor=sum(one.payout for one in settled),
        before_minor=total_before,
        unspent_minor=unspent,
        people=tuple(people),
        units=_by_unit(people),
        chance=chance,
        notes=tuple(notes),
    )


def _person(one: Settled, standing: Standing, before: Mapping[str, int]) -> Person:
    units = tenure(standing.assignments.get(one.employee, ()), standing.period).units
    was = before.get(one.employee, 0)
    return Person(
        employee=one.employee,
        org_unit=max(units, key=lambda unit: (units[unit], unit)) if units else None,
        payout_minor=one.payout,
        before_minor=was,
        difference_minor=one.payout - was,
    )


def _by_unit(people: Sequence[Person]) -> tuple[UnitImpact, ...]:
    groups: dict[str | None, list[Person]] = defaultdict(list)
    for person in people:
        groups[person.org_unit].append(person)
    return tuple(
        UnitImpact(
            org_unit=unit,
            people=len(groups[unit]),
            total_minor=sum(one.payout_minor for one in groups[unit]),
            before_minor=sum(one.before_minor for one in groups[unit]),
            difference_minor=sum(one.difference_minor for one in groups[unit]),
        )
        for unit in sorted(groups, key=lambda unit: unit or "")
    )


def _chance(
    plan: Plan, standing: Standing, drawn: Pile, settled: Sequence[Settled], *, replicates: int, seed: int
) -> Chance | None:
    if not drawn.blocks:
        return None
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    try:
        payouts = [_payouts(plan, standing, drawn.drawn(dice)) for _ in range(replicates)]
        halves = [drawn.halves(dice) for _ in range(min(SPLITS, replicates))]
        ranked = [_spearman(*(_payouts(plan, standing, half) for half in both)) for both in halves]
    except MissingFigureError:
        return None
    costs = sorted(sum(one) for one in payouts)
    told = [one for one in ranked if one is not None]
    return Chance(
        blocks=drawn.by,
        number_of_blocks=len(drawn.blocks),
        replicates=replicates,
        cost_p5_minor=_percentile(costs, 5),
        cost_p50_minor=_percentile(costs, 50),
        cost_p95_minor=_percentile(costs, 95),
        noise_share=_noise(payouts, [one.payout for one in settled]),
        split_half_rank_correlation=round(fmean(told), 4) if told else None,
    )


def _payouts(plan: Plan, standing: Standing, figures: Figures) -> list[int]:
    return [one.payout for one in settle(plan, standing, figures)[0]]


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent do not exceed (nearest rank)."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _noise(payouts: Sequence[Sequence[int]], observed: Sequence[int]) -> float | None:
    between = pvariance(observed)
    if between == 0:
        return None
    within = fmean(pvariance(person) for person in zip(*payouts, strict=True))
    return round(min(1.0, within / between), 4)


def _spearman(one: Sequence[int], other: Sequence[int]) -> float | None:
    """Rank correlation with ties sharing their mean rank; None when one side is all alike."""
    ranks, others = _ranks(one), _ranks(other)
    mean = (len(ranks) + 1) / 2
    spread = sum((r - mean) ** 2 for r in ranks) * sum((r - mean) ** 2 for r in others)
    if spread == 0:
        return None
    together = sum((a - mean) * (b - mean) for a, b in zip(ranks, others, strict=True))
    return float(together / spread**0.5)


def _ranks(values: Sequence[int]) -> list[float]:
    places: dict[int, list[int]] = defaultdict(list)
    for place, value in enumerate(sorted(values), start=1):
        places[value].append(place)
    return [fmean(places[value]) for value in values]
