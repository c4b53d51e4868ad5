"""What every figure should be, worked out here once more and independently of the services."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt


@dataclass(frozen=True)
class Nps:
    """Net promoter score in points with one decimal, its 95 % interval (adjusted Wald) and how many answers."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:5.1f} [{self.low:.1f}, {self.high:.1f}] n {self.n}"


def nps(scores: Iterable[int]) -> Nps:
    """From whole answers, each with weight 1."""
    listed = list(scores)
    n = len(listed)
    promoters = sum(score >= 9 for score in listed)
    detractors = sum(score <= 6 for score in listed)
    p, d = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    half = 1.96 * sqrt((p + d - (p - d) ** 2) / (n + 3))
    low, high = max(-1.0, p - d - half), min(1.0, p - d + half)
    return Nps(round(100 * (promoters - detractors) / n, 1), round(100 * low, 1), round(100 * high, 1), n)


def curve(y: Decimal, threshold: int, target: int, excellence: int, cap: Decimal) -> Decimal:
    """The payout factor of a score: 0 below the threshold, 1 on target, the cap from excellence on."""
    if y < threshold:
        return Decimal(0)
    if y < target:
        return (y - threshold) / (target - threshold)
    if y < excellence:
        return 1 + (cap - 1) * (y - target) / (excellence - target)
    return cap


def cents(amount: Decimal) -> int:
    """Rounded once, half to even."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))
