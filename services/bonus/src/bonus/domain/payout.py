"""What one payee earns, exactly, before the one rounding; and the same with single ideas switched off.

payout = target bonus · proration · gates · Σ weight_j · F_j
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from bonus.domain.curve import Curve
from bonus.domain.expectation import expected_multiple
from bonus.domain.gates import Situation, Verdict, verdicts
from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Component, Employed, Payee, Plan, Scheme
from bonus.domain.snapshot import Figures
from bonus.domain.sources import Place, Source, sources
from bonus.domain.tenure import Assigned, Days, tenure

FILTER, SHRINKAGE, TEAM, TARGET, CAP = "attribution_filter", "shrinkage", "team", "target", "cap"
FACTORS = (FILTER, SHRINKAGE, TEAM, TARGET, CAP)
ALL = frozenset(FACTORS)
CAPPED_AT_TARGET: frozenset[Scheme] = frozenset({"individual", "team"})


@dataclass(frozen=True, slots=True)
class Earner:
    """One payee with everything but the scores settled.

    `portion`: days and gates. `stake`: what a multiple of 1 pays, in minor units.
    """

    payee: Payee
    place: Place
    weights: Mapping[str, Fraction]
    verdicts: tuple[Verdict, ...]
    days: int
    period_days: int
    portion: Fraction
    stake: Fraction

    @property
    def held(self) -> bool:
        return any(verdict.holds for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Line:
    """One component's part: F (`multiple`), its weight, the figures behind it and the exact amount."""

    component: Component
    weight: Fraction
    multiple: Fraction
    sources: tuple[Source, ...]
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Earnings:
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Fraction:
        return sum((line.amount for line in self.lines), Fraction(0))


def earner(
    plan: Plan,
    payee: Payee,
    *,
    period: Days,
    assignments: tuple[Assigned, ...],
    figures: Figures,
    accepted: bool,
) -> Earner:
    """Settle days, weights and gates. Raises MissingFigureError when a gate needs a figure that does not exist."""
    window = period.within(payee.start, payee.end)
    held = tenure(assignments, window)
    opinions = verdicts(plan.gates, Situation(plan, payee, figures, held, window, accepted))
    by_employment = any(isinstance(gate, Employed) for gate in plan.gates)
    days = held.employed if by_employment else window.count
    portion = Fraction(days, period.count)
    for verdict in opinions:
        portion *= verdict.factor
    return Earner(
        payee=payee,
        place=Place(payee.employee, held.units, frozenset().union(*(v.thin for v in opinions))),
        weights=plan.weights(payee, held.role),
        verdicts=opinions,
        days=days,
        period_days=period.count,
        portion=portion,
        stake=full_amount(plan, payee) * portion,
    )


def earn(plan: Plan, who: Earner, figures: Figures, *, on: frozenset[str] = ALL) -> Earnings:
    """The exact earnings, with the ideas of `on` in force.

    Off means: filter → the view of all responses; shrinkage → λ 1; team → all weight on the personal scores;
    target → every multiple is 1; cap → the curve's last slope goes on and no cap of scheme or payee applies.
    """
    weights = dict(who.weights) if TEAM in on else _personal_weights(plan, who.weights)
    lines = []
    for component in plan.components:
        found = _sources(plan, component, who.place, figures, on)
        multiple = sum(
            (source.part * priced(plan, component, source, figures, on=on) for source in found), Fraction(0)
        )
        lines.append(Line(component, weights[component.id], multiple, found, Fraction(0)))
    if plan.scheme == "everyone":
        return _all_or_nothing(lines, who.stake)
    paid = [_priced(line, who.stake * line.weight * line.multiple) for line in lines]
    return Earnings(_clamped(paid, plan, who.payee) if CAP in on else tuple(paid))


def full_amount(plan: Plan, payee: Payee) -> int:
    """What a multiple of 1 is worth over a full period; a plan that only tracks pays nothing."""
    if plan.mode == "track_only":
        return 0
    return (plan.flat_bonus_minor or 0) if plan.scheme == "everyone" else payee.target_bonus_minor


def _sources(
    plan: Plan, component: Component, place: Place, figures: Figures, on: frozenset[str]
) -> tuple[Source, ...]:
    """None for a component that is only tracked and has no figure: nobody's pay waits for it."""
    try:
        return sources(
            component,
            place,
            figures,
            plan=plan,
            view=component.view if FILTER in on else "all",
            shrink=SHRINKAGE in on,
        )
    except MissingFigureError:
        if component.tracked_only:
            return ()
        raise


def priced(
    plan: Plan, component: Component, source: Source, figures: Figures, *, on: frozenset[str] = ALL
) -> Fraction:
    """f of one figure behind a component; of a personal score in mode B what f is expected to be."""
    if TARGET not in on:
        return Fraction(1)
    if plan.reliability_mode == "B" and SHRINKAGE in on and source.figure.scope_type == "employee":
        return expected_multiple(
            component,
            source.figure,
            figures,
            at_most_one=plan.scheme in CAPPED_AT_TARGET,
            capped=CAP in on,
        )
    return multiple(plan.scheme, component.curve, source.score, capped=CAP in on)


@lru_cache(maxsize=50_000)  # scores have one decimal, so a run asks for the same few over and over
def multiple(scheme: Scheme, curve: Curve, score: Decimal, *, capped: bool = True) -> Fraction:
    """f of a score under a scheme: at most 1, all or nothing, or the curve as it is."""
    if scheme == "everyone":
        return Fraction(1 if score >= curve.target else 0)
    f = curve.multiple(score, capped=capped)
    return min(f, Fraction(1)) if capped and scheme in CAPPED_AT_TARGET else f


def _personal_weights(plan: Plan, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All the weight on the personal scores; a plan without any keeps its weights."""
    personal = sum((weights[c.id] for c in plan.components if c.personal), Fraction(0))
    if personal == 0:
        return dict(weights)
    return {c.id: weights[c.id] / personal if c.personal else Fraction(0) for c in plan.components}


def _priced(line: Line, amount: Fraction) -> Line:
    return Line(line.component, line.weight, line.multiple, line.sources, amount)


def _all_or_nothing(lines: list[Line], stake: Fraction) -> Earnings:
    reached = all(line.multiple == 1 for line in lines if line.weight > 0)
    return Earnings(tuple(_priced(line, stake * line.weight if reached else Fraction(0)) for line in lines))


def _clamped(lines: list[Line], plan: Plan, payee: Payee) -> tuple[Line, ...]:
    """The payee's own cap, taken from every component in proportion; a pool applies it when it is shared out."""
    total = sum((line.amount for line in lines), Fraction(0))
    if payee.cap_minor is None or plan.scheme == "pool" or total <= payee.cap_minor:
        return tuple(lines)
    return tuple(_priced(line, line.amount * payee.cap_minor / total) for line in lines)
