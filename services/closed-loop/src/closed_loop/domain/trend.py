"""Whether a score has moved: two periods, their difference, its interval, and z."""

from dataclasses import dataclass
from math import sqrt

from closed_loop.domain.balance import Z95, adjusted


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answers a score rests on, in whole answers (`n_eff`), and the shares of promoters and detractors."""

    n_eff: float
    promoters: float
    detractors: float


@dataclass(frozen=True, slots=True)
class Trend:
    """NPS points. `moved`: the interval does not contain 0."""

    change: float
    low: float
    high: float
    z: float
    moved: bool


def trend(before: Answers, now: Answers) -> Trend:
    """From one period to the next."""
    earlier, earlier_variance = _adjusted(before)
    later, later_variance = _adjusted(now)
    change = later - earlier
    error = sqrt(earlier_variance + later_variance)
    z = change / error
    return Trend(
        change=round(100 * change, 1),
        low=round(100 * max(-2.0, change - Z95 * error), 1),
        high=round(100 * min(2.0, change + Z95 * error), 1),
        z=round(z, 2),
        moved=abs(z) > Z95,
    )


def _adjusted(answers: Answers) -> tuple[float, float]:
    return adjusted(answers.n_eff, promoters=answers.promoters, detractors=answers.detractors)
