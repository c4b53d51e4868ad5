"""What would have had to be different: detractors who had been passives, counted by replay."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from bonus.domain.evidence import in_segments, influenced_causes, weigh
from bonus.domain.money import decimal_text, displayed
from bonus.domain.payout import CAPPED_AT_TARGET
from bonus.domain.plan import Component, Scheme
from bonus.domain.snapshot import Contribution

Anchored = tuple[str, Decimal]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """`detractors_to_passives` fewer detractors (who named `cause`; None: whoever) and what that makes of it.

    `payout_minor` is None where the payout also depends on what others earn.
    """

    cause: str | None
    detractors_to_passives: int
    value: Decimal
    payout_minor: int | None


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest changes that reach the next anchor of a component's curve; none when even all would not do."""

    component: str
    value: Decimal
    anchor: str
    at: str
    changes: tuple[Change, ...]


def next_anchor(component: Component, score: Decimal, scheme: Scheme) -> Anchored | None:
    """The next point of the curve above `score` that pays more."""
    curve = component.curve
    anchors: list[Anchored] = [("threshold", curve.threshold), ("target", curve.target)]
    if scheme not in CAPPED_AT_TARGET and scheme != "everyone":
        anchors.append(("excellence", curve.excellence))
    return next((anchor for anchor in anchors if score < anchor[1]), None)


def counterfactual(
    component: Component,
    employee: str,
    score: Decimal,
    responses: Sequence[Contribution],
    *,
    scheme: Scheme,
    replay: Callable[[Decimal], int | None],
) -> Counterfactual | None:
    """The way to the next anchor of a personal NPS; None when there is none. `replay`: score → payout."""
    anchor = next_anchor(component, score, scheme)
    if component.kpi != "nps" or anchor is None:
        return None
    weighed = [
        (weigh(response, employee, component.view), response)
        for response in responses
        if in_segments(response, component)
    ]
    counted = [(weight, response) for weight, response in weighed if weight > 0]
    detractors = [(weight, response) for weight, response in counted if response.category == "detractor"]
    causes = sorted({cause for _, response in detractors for cause in influenced_causes(response, employee)})
    changes = []
    for cause in (None, *causes):
        named = [w for w, r in detractors if cause is None or cause in influenced_causes(r, employee)]
        found = _fewest(counted, sorted(named, reverse=True), anchor[1])
        if found is not None:
            changes.append(
                Change(
                    cause=cause,
                    detractors_to_passives=found[0],
                    value=found[1],
                    payout_minor=replay(found[1]),
                )
            )
    return Counterfactual(
        component=component.id,
        value=score,
        anchor=anchor[0],
        at=decimal_text(anchor[1]),
        changes=tuple(changes),
    )


def _fewest(
    counted: Sequence[tuple[Fraction, Contribution]], heaviest_first: Sequence[Fraction], goal: Decimal
) -> tuple[int, Decimal] | None:
    """How many of these detractors must turn passive for the score to reach `goal`, and the score then."""
    total = sum((weight for weight, _ in counted), Fraction(0))
    balance = sum(
        (_SIGN.get(response.category or "", 0) * weight for weight, response in counted), Fraction(0)
    )
    for count, weight in enumerate(heaviest_first, start=1):
        balance += weight
        value = displayed(100 * balance / total)
        if value >= goal:
            return count, value
    return None


_SIGN = {"promoter": 1, "passive": 0, "detractor": -1}
