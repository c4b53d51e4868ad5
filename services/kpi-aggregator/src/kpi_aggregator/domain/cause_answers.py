"""How often the satisfied and the dissatisfied name a cause at all.

The influenced view holds only answers that name one. If promoters name a cause less often than detractors do, it leans
down, and targets taken from the view of all answers are then unfair; the other way round it flatters.
"""

import math

import msgspec

BAR = 1.96  # of |z|: two groups that answer alike differ as much in one comparison of twenty


class Naming(msgspec.Struct, frozen=True):
    """Of `n` answers `named` name a cause."""

    n: int = 0
    named: int = 0

    @property
    def rate(self) -> float | None:
        return self.named / self.n if self.n else None


def difference(promoters: Naming, detractors: Naming) -> float | None:
    """z of two proportions with pooled variance: z = (p₁ − p₂) / √(p(1 − p)(1/n₁ + 1/n₂)).

    None where it says nothing: a group is empty, or all answers name a cause, or none does.
    """
    n = promoters.n + detractors.n
    if not promoters.n or not detractors.n:
        return None
    pooled = (promoters.named + detractors.named) / n
    variance = pooled * (1 - pooled) * (1 / promoters.n + 1 / detractors.n)
    if variance == 0:
        return None
    return (promoters.named / promoters.n - detractors.named / detractors.n) / math.sqrt(variance)


def finding(z: float | None) -> str | None:
    """What would go wrong; None when the two groups do not differ by more than chance makes them."""
    if z is None or abs(z) <= BAR:
        return None
    if z < 0:
        return (
            "Detractors name a cause more often than promoters: the influenced view leans down. Do not compare it with "
            "targets or history of the view of all answers, and ask promoters for the cause too."
        )
    return (
        "Promoters name a cause more often than detractors: the influenced view leans up. Do not compare it with "
        "targets or history of the view of all answers, and find out why detractors leave the question out."
    )
