"""Before and after: the difference of two figures with its interval. Two periods are compared; nothing is proved.

Whatever else happened between the two is in the difference as well, and units that do badly tend to do better later.
"""

import math

import msgspec

from closed_loop.domain.balance import Z95, adjusted

CAVEAT = (
    "A comparison of two periods, not a proof that the plan caused the difference: whatever else changed in between"
    " is part of it, and what was picked because it was bad tends to be better the next time."
)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """As kpi-aggregator answers it; everything measured is None when suppressed."""

    kpi: str
    suppressed: bool
    reason: str
    n: int | None
    n_eff: float | None
    value: float | None
    ci95: tuple[float, float] | None
    weight: str | None = None
    promoters_weight: str | None = None
    detractors_weight: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`difference` is after − before, in the figure's points; None when one of the two is too small to be shown. The
    interval lies around the adjusted difference, which is smaller where there are few answers.

    `goal_reached` is about the figure after, as displayed.
    """

    difference: float | None
    ci95: tuple[float, float] | None
    goal_reached: bool | None
    message: str
    caveat: str = CAVEAT


def compare(before: Figure, after: Figure, *, target: float) -> Comparison:
    """The difference and its 95 % interval."""
    for when, figure in (("before", before), ("after", after)):
        if figure.value is None:
            message = f"There are too few answers {when}: {figure.reason}."
            reached = None if after.value is None else after.value >= target
            return Comparison(difference=None, ci95=None, goal_reached=reached, message=message)
    assert before.value is not None
    assert after.value is not None
    interval = _balances(before, after) if after.kpi == "nps" else _squared_and_added(before, after)
    return Comparison(
        difference=round(after.value - before.value, 4),
        ci95=interval,
        goal_reached=after.value >= target,
        message=_message(interval),
    )


def _message(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "There are too few answers for an interval."
    if interval[0] <= 0 <= interval[1]:
        return "The interval contains 0: the figures may well be the same."
    return "The interval does not contain 0."


def _balances(before: Figure, after: Figure) -> tuple[float, float]:
    """NPS, in points: m′₂ − m′₁ ± 1.96·√(SE′₁² + SE′₂²)."""
    (m1, var1), (m2, var2) = _adjusted(before), _adjusted(after)
    half = Z95 * math.sqrt(var1 + var2)
    return round(100 * (m2 - m1 - half), 1), round(100 * (m2 - m1 + half), 1)


def _adjusted(figure: Figure) -> tuple[float, float]:
    weight = float(figure.weight or 0) or 1.0
    return adjusted(
        figure.n_eff or 0.0,
        promoters=float(figure.promoters_weight or 0) / weight,
        detractors=float(figure.detractors_weight or 0) / weight,
    )


def _squared_and_added(before: Figure, after: Figure) -> tuple[float, float] | None:
    """CSAT and CES, from the two intervals: the distances to their ends, squared and added (Newcombe 1998, method 10;
    Zou and Donner 2008)."""
    if before.ci95 is None or after.ci95 is None or before.value is None or after.value is None:
        return None
    difference = after.value - before.value
    down = math.hypot(after.value - after.ci95[0], before.ci95[1] - before.value)
    up = math.hypot(after.ci95[1] - after.value, before.value - before.ci95[0])
    return round(difference - down, 2), round(difference + up, 2)
