"""What everybody of a plan earns, exactly and all at once.

The same formula as `payout`, without its explanations: payees who stand alike (assignments, days, weights)
share everything but their own scores, and amounts are pairs of whole numbers, over and under, that
nobody reduces on the way.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property

import msgspec

from bonus.domain.expectation import expected_multiple
from bonus.domain.gates import too_few, uncovered
from bonus.domain.money import quotient_half_even
from bonus.domain.payout import CAPPED_AT_TARGET, Earner, earner, full_amount, multiple
from bonus.domain.plan import Accepted, Component, Coverage, MinResponses, Payee, Plan, Scheme
from bonus.domain.pool import share_pool
from bonus.domain.snapshot import Figures
from bonus.domain.sources import kept_part, shared_sources
from bonus.domain.standing import Standing

Pair = tuple[int, int]
"""over, under (> 0); not reduced."""
ONE: Pair = (1, 1)
CAPPED_ELSEWHERE: frozenset[Scheme] = frozenset({"everyone", "pool"})
"""A flat bonus knows no cap of the payee, and a pool applies it when it is shared out."""


class Settled(msgspec.Struct, gc=False, frozen=True):
    """What one payee gets, in minor units; `held` of it is not paid out yet."""

    employee: str
    payout: int
    held: int


def settle(plan: Plan, standing: Standing, figures: Figures) -> tuple[list[Settled], int]:
    """Everybody's payout, in the order of the plan's payees, and what is left of a pool (0 in other schemes).

    Raises MissingFigureError when a figure is missing.
    """
    earned = list(_earned(plan, standing, figures))
    if plan.scheme != "pool":
        payouts = [quotient_half_even(*amount) for _, amount, _ in earned]
        return [_settled(*one, payout) for one, payout in zip(earned, payouts, strict=True)], 0
    shared = share_pool(
        plan.pool_minor or 0,
        {payee.employee: Fraction(*claim) for payee, claim, _ in earned},
        caps={p.employee: p.cap_minor for p in plan.payees if p.cap_minor is not None},
        period=f"{standing.period.start}/{standing.period.end}",
    )
    unspent = shared.unspent if plan.mode == "paid" else 0
    return [_settled(*one, shared.paid[one[0].employee]) for one in earned], unspent


def _settled(payee: Payee, _: Pair, held: bool, payout: int) -> Settled:
    return Settled(payee.employee, payout, payout if held else 0)


def _earned(plan: Plan, standing: Standing, figures: Figures) -> Iterator[tuple[Payee, Pair, bool]]:
    """Payee, exact amount, and whether it is held."""
    accepted = frozenset(standing.accepted)
    held_until_accepted = any(isinstance(gate, Accepted) for gate in plan.gates)
    own_scores = _own_scores(plan, figures)
    positions: dict[object, _Position] = {}
    shared: _Shared = {}
    for payee in plan.payees:
        assigned = standing.assignments.get(payee.employee, ())
        alike = (assigned, payee.start, payee.end, tuple(payee.weights.items()))
        position = positions.get(alike)
        if position is None:
            someone = earner(
                plan, payee, period=standing.period, assignments=assigned, figures=figures, accepted=True
            )
            position = positions[alike] = _Position(plan, someone, figures, shared)
        over, under = position.rate(payee.employee, own_scores)
        over *= full_amount(plan, payee)
        cap = None if plan.scheme in CAPPED_ELSEWHERE else payee.cap_minor
        if cap is not None and over > cap * under:
            over, under = cap, 1
        yield payee, (over, under), held_until_accepted and payee.employee not in accepted


class _OwnScore(msgspec.Struct, gc=False, frozen=True):
    """A person's own multiple in one component, and the part of the component that it keeps."""

    multiple: Pair
    kept: Pair


_OwnScores = Callable[[Component, str], _OwnScore | None]


def _own_scores(plan: Plan, figures: Figures) -> _OwnScores:
    """Component, employee → the own score, if there is one that counts."""
    minimum = max((gate.minimum for gate in plan.gates if isinstance(gate, MinResponses)), default=None)
    asked = max((gate.minimum for gate in plan.gates if isinstance(gate, Coverage)), default=None)

    @cache
    def priced(component: str, score: Decimal) -> Pair:
        return multiple(plan.scheme, curves[component], score).as_integer_ratio()

    curves = {component.id: component.curve for component in plan.components}

    def own_score(component: Component, employee: str) -> _OwnScore | None:
        own = figures.employee(component.measure, employee, component.view)
        if own is None or own.score is None or (minimum is not None and too_few(own.n, minimum)):
            return None
        if asked is not None and uncovered(figures.coverage.get(employee), asked):
            return None
        if plan.reliability_mode == "B":
            at_most_one = plan.scheme in CAPPED_AT_TARGET
            expected = expected_multiple(component, own, figures, at_most_one=at_most_one)
            return _OwnScore(expected.as_integer_ratio(), ONE)
        kept = ONE if plan.reliability_mode == "none" else kept_part(own).as_integer_ratio()
        return _OwnScore(priced(component.id, own.score), kept) if kept[0] else None

    return own_score


class _Position:
    """What is the same for all who stand alike as `someone` does."""

    def __init__(self, plan: Plan, someone: Earner, figures: Figures, shared: "_Shared") -> None:
        self._all_or_nothing = plan.scheme == "everyone"
        self._portion = someone.portion.as_integer_ratio()
        self._parts = [
            _Part(plan, component, someone, figures, shared)
            for component in plan.components
            if not component.tracked_only
        ]

    def rate(self, employee: str, own_scores: _OwnScores) -> Pair:
        """What one minor unit of target bonus brings: days · gates · Σ weight · F."""
        over, under = 0, 1
        for part in self._parts:
            (f, per), (weight, whole) = part.multiple(employee, own_scores), part.weight
            if self._all_or_nothing:
                if weight and f != per:
                    return 0, 1
                f = per = 1
            over, under = over * per * whole + f * weight * under, under * per * whole
        return over * self._portion[0], under * self._portion[1]


class _Part:
    """One component for all who stand alike."""

    def __init__(
        self, plan: Plan, component: Component, someone: Earner, figures: Figures, shared: "_Shared"
    ) -> None:
        self._plan, self._component, self._place, self._figures = plan, component, someone.place, figures
        self._known = shared
        self.weight = someone.weights[component.id].as_integer_ratio()

    def multiple(self, employee: str, own_scores: _OwnScores) -> Pair:
        """F: the own score's part and, for the rest, what is shared."""
        own = own_scores(self._component, employee) if self._component.personal else None
        if own is None:
            return self._shared
        (f, per), (kept, whole) = own.multiple, own.kept
        if kept == whole:
            return f, per
        shared, by = self._shared
        return kept * f * by + (whole - kept) * shared * per, whole * per * by

    @cached_property
    def _shared(self) -> Pair:
        """Only asked when somebody needs it: the figures behind it may be missing."""
        component = self._component
        scope = (component.fallback or "own_unit") if component.personal else component.scope
        units = tuple(self._place.units.items()) if scope == "own_unit" else ()
        key = (component.id, units)
        if key not in self._known:
            self._known[key] = self._computed(scope)
        return self._known[key]

    def _computed(self, scope: str) -> Pair:
        component, scheme = self._component, self._plan.scheme
        found = shared_sources(scope, component, self._place, self._figures, component.view)
        parts = (source.part * multiple(scheme, component.curve, source.score) for source in found)
        return sum(parts, Fraction(0)).as_integer_ratio()


_Shared = dict[tuple[str, tuple[tuple[str, Fraction], ...]], Pair]
"""Component and, where they matter, units worked in by part of the days → the multiple of what is shared there."""
