"""Whether a score has moved: two periods, their difference, its interval, and z.

The adjusted Wald interval: n′ = n + 3, p′ = (P + ¾)/n′, d′ = (D + ¾)/n′, m′ = p′ − d′, SE′² = (p′ + d′ − m′²)/n′ and
z = (m′₁ − m′₂)/√(SE′₁² + SE′₂²).
"""

from dataclasses import dataclass
from math import sqrt

_Z95 = 1.96


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
        low=round(100 * max(-2.0, change - _Z95 * error), 1),
        high=round(100 * min(2.0, change + _Z95 * error), 1),
        z=round(z, 2),
        moved=abs(z) > _Z95,
    )


def _adjusted(answers: Answers) -> tuple[float, float]:
    n = answers.n_eff + 3
    p = (answers.n_eff * answers.promoters + 0.75) / n
    d = (answers.n_eff * answers.detractors + 0.75) / n
    m = p - d
    return m, (p + d - m * m) / n
