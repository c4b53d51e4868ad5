"""Once a year every goal is asked about: is it still the right one? Answered by name, with the figures beside it."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from statistics import median
from typing import Literal

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.goal_results import GoalResult
from bonus.domain.money import decimal_text
from bonus.domain.payout import multiple
from bonus.domain.plan import Scheme

Decision = Literal["keep", "change", "drop"]
Status = Literal["coming", "due", "overdue", "dropped"]

DAYS_TO_ANSWER = 30
FEWEST_PAYEES = 5  # below, shares of payees would tell about single people


class PeriodFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A goal's results in one closed period. Shares of payees are null below FEWEST_PAYEES of them."""

    period: str
    payees: int
    at_zero: str | None
    at_cap: str | None
    median_attainment: str | None
    mean_reliability: str | None


def due_on(first: date, answered: Sequence[date]) -> date:
    """A year after the goal was set or last answered about."""
    last = max([first, *answered])
    try:
        return last.replace(year=last.year + 1)
    except ValueError:  # 29 February
        return date(last.year + 1, 3, 1)


def status(due: date, today: date, *, dropped: bool = False) -> Status:
    """A dropped goal is not asked about any more."""
    if dropped:
        return "dropped"
    if today < due:
        return "coming"
    return "due" if today <= due + timedelta(days=DAYS_TO_ANSWER) else "overdue"


def period_figures(period: str, scheme: Scheme, curve: Curve, results: Iterable[GoalResult]) -> PeriodFigures:
    """How a goal spread its payees: at nothing, at the most there is, and in between."""
    known = list(results)
    if len(known) < FEWEST_PAYEES:
        return PeriodFigures(
            period=period,
            payees=len(known),
            at_zero=None,
            at_cap=None,
            median_attainment=None,
            mean_reliability=None,
        )
    most = multiple(scheme, curve, curve.excellence)
    attained = [one.attainment for one in known if one.attainment is not None]
    reliable = [Fraction(one.reliability) for one in known if one.reliability is not None]
    return PeriodFigures(
        period=period,
        payees=len(known),
        at_zero=_share(sum(Fraction(one.stated.f) == 0 for one in known), len(known)),
        at_cap=_share(sum(Fraction(one.stated.f) >= most for one in known), len(known)),
        median_attainment=decimal_text(Fraction(median(attained)), 4) if attained else None,
        mean_reliability=decimal_text(sum(reliable, Fraction(0)) / len(reliable), 4) if reliable else None,
    )


def _share(part: int, whole: int) -> str:
    return decimal_text(Fraction(part, whole), 4)
