"""A payout that explains itself. The parts sum to the payout to the cent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import msgspec

from bonus.domain.counterfactual import Counterfactual, counterfactual
from bonus.domain.evidence import Evidence
from bonus.domain.money import apportion, decimal_text, round_half_even
from bonus.domain.payout import FACTORS, Earner, Earnings, Line, earn, earner, priced
from bonus.domain.plan import Payee, Plan
from bonus.domain.snapshot import Contribution, Figure, Figures
from bonus.domain.standing import Standing
from bonus.domain.waterfall import shapley


class StatedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A figure behind a component: its part of the component and what it pays."""

    scope_type: str
    scope_id: str
    part: str
    value: Decimal | None
    n: int | None
    f: str


class StatedComponent(msgspec.Struct, frozen=True, kw_only=True):
    """`value`, `ci95` and `n` are of the person's own score, or of the one unit behind it (None when several are).

    `f` is the multiple after fallbacks, reliability and days: the sum of part · f of the sources. `paid` is False when it
    is only tracked.
    """

    id: str
    kpi: str
    scope: str
    view: str
    value: Decimal | None
    ci95: tuple[Decimal, Decimal] | None
    n: int | None
    f: str
    attainment: str | None
    weight: str
    payout_minor: int
    sources: tuple[StatedSource, ...]
    paid: bool | msgspec.UnsetType = msgspec.UNSET


class StatedGate(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    passed: bool
    message: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    factor: str
    amount_minor: int


class Excluded(msgspec.Struct, frozen=True, kw_only=True):
    response_id: str
    reason: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One payee's statement. `held_minor` of `payout_minor` is not paid out yet. Holds no id of a run and no time."""

    employee: str
    mode: str
    scheme: str
    currency: str
    target_bonus_minor: int
    payout_minor: int
    held_minor: int
    days: int
    period_days: int
    components: tuple[StatedComponent, ...]
    gates: tuple[StatedGate, ...]
    waterfall: tuple[Step, ...]
    counterfactual: Counterfactual | None
    counted: int
    excluded: tuple[Excluded, ...]
    inputs_hash: str
    rule_version: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What one payee gets, in minor units, and what it was rounded (or shared) from."""

    who: Earner
    earnings: Earnings
    payout: int


def retraced(plan: Plan, payee: Payee, payout: int, *, standing: Standing, figures: Figures) -> Paid:
    """A payout with what it comes from. `standing` need not know anybody else."""
    who = earner(
        plan,
        payee,
        period=standing.period,
        assignments=standing.assignments.get(payee.employee, ()),
        figures=figures,
        accepted=payee.employee in standing.accepted,
    )
    return Paid(who, earn(plan, who, figures), payout)


def state(
    plan: Plan,
    paid: Paid,
    figures: Figures,
    *,
    evidence: Evidence,
    responses: Mapping[tuple[str, str], Sequence[Contribution]],
    inputs_hash: str,
    rule_version: str,
) -> Statement:
    """Explain one payout line by line."""
    who = paid.who
    return Statement(
        employee=who.payee.employee,
        mode=plan.mode,
        scheme=plan.scheme,
        currency=plan.currency,
        target_bonus_minor=who.payee.target_bonus_minor,
        payout_minor=paid.payout,
        held_minor=paid.payout if who.held else 0,
        days=who.days,
        period_days=who.period_days,
        components=stated_components(plan, paid, figures),
        gates=tuple(StatedGate(kind=v.kind, passed=v.passed, message=v.message) for v in who.verdicts),
        waterfall=_waterfall(plan, paid, figures),
        counterfactual=_counterfactual(plan, who, figures, responses),
        counted=len(evidence.counted),
        excluded=tuple(
            Excluded(response_id=id, reason=reason) for id, reason in sorted(evidence.excluded.items())
        ),
        inputs_hash=inputs_hash,
        rule_version=rule_version,
    )


def stated_components(plan: Plan, paid: Paid, figures: Figures) -> tuple[StatedComponent, ...]:
    """The components with their amounts, which sum to the payout."""
    exact = _scaled([line.amount for line in paid.earnings.lines], paid)
    amounts = apportion(paid.payout, exact)
    return tuple(
        _component(plan, line, amount, paid.who, figures)
        for line, amount in zip(paid.earnings.lines, amounts, strict=True)
    )


def _scaled(amounts: list[Fraction], paid: Paid) -> list[Fraction]:
    """In a pool the parts of the claim stand for the parts of what it brought."""
    claim = paid.earnings.amount
    if round_half_even(claim) == paid.payout or claim == 0:
        return amounts
    return [amount * paid.payout / claim for amount in amounts]


def _component(plan: Plan, line: Line, amount: int, who: Earner, figures: Figures) -> StatedComponent:
    component, shown = line.component, _shown(line, who, figures)
    score = None if shown is None else shown.score
    return StatedComponent(
        id=component.id,
        kpi=component.kpi,
        scope=component.scope,
        view=component.view,
        value=score,
        ci95=None if shown is None else shown.ci95,
        n=None if shown is None else shown.n,
        f=decimal_text(line.multiple),
        attainment=None if score is None else decimal_text(component.curve.attainment(score)),
        weight=decimal_text(line.weight),
        payout_minor=amount,
        sources=tuple(
            StatedSource(
                scope_type=source.figure.scope_type,
                scope_id=source.figure.scope_id,
                part=decimal_text(source.part),
                value=source.score,
                n=source.figure.n,
                f=decimal_text(priced(plan, component, source, figures)),
            )
            for source in line.sources
        ),
        paid=component.paid,
    )


def _shown(line: Line, who: Earner, figures: Figures) -> Figure | None:
    if line.component.personal:
        return figures.employee(line.component.measure, who.payee.employee, line.component.view)
    return line.sources[0].figure if len(line.sources) == 1 else None


def _waterfall(plan: Plan, paid: Paid, figures: Figures) -> tuple[Step, ...]:
    """The base (every idea off), then each idea's Shapley value; in a pool also what sharing made of the claim."""

    def worth(on: frozenset[str]) -> Fraction:
        return earn(plan, paid.who, figures, on=on).amount

    exact = {"base": worth(frozenset()), **shapley(FACTORS, worth)}
    if plan.scheme == "pool":
        exact["pool"] = paid.payout - paid.earnings.amount
    amounts = apportion(paid.payout, list(exact.values()))
    return tuple(
        Step(factor=factor, amount_minor=amount) for factor, amount in zip(exact, amounts, strict=True)
    )


def _counterfactual(
    plan: Plan, who: Earner, figures: Figures, responses: Mapping[tuple[str, str], Sequence[Contribution]]
) -> Counterfactual | None:
    """For the first personal NPS of the plan; units and gates stay as they are."""
    for component in plan.components:
        if not component.personal or component.kpi != "nps":
            continue
        own = figures.employee(component.measure, who.payee.employee, component.view)
        if own is None or own.score is None:
            continue
        figure = own

        def replay(score: Decimal, figure: Figure = figure) -> int | None:
            if plan.scheme == "pool":
                return None
            return round_half_even(earn(plan, who, figures.with_value(figure, score)).amount)

        mine = responses.get((component.kpi, who.payee.employee), ())
        return counterfactual(
            component, who.payee.employee, own.score, mine, scheme=plan.scheme, replay=replay
        )
    return None
