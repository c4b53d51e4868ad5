"""What the planted truth comes to, worked out from the generated answers alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import Any

from examples.windscreen.expected import Nps, cents, curve, nps
from examples.year.generator import Job

TARGET_BONUS = 100_000
CURVE = {"threshold": "0", "target": "40", "excellence": "80", "cap": "1.5"}
LEAST = 5
"""Fewer answers than this are not shown, and not paid on."""


@dataclass(frozen=True)
class Counts:
    """How many answered, and how many of them were promoters and detractors."""

    n: int = 0
    promoters: int = 0
    detractors: int = 0

    @classmethod
    def shown(cls, figure: dict[str, Any]) -> "Counts":
        """Of an answer of the API; nothing where it is suppressed."""
        return cls(figure["n"] or 0, figure["promoters"] or 0, figure["detractors"] or 0)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.n + other.n, self.promoters + other.promoters, self.detractors + other.detractors)

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(self.n - other.n, self.promoters - other.promoters, self.detractors - other.detractors)


def figure(answers: Iterable[Job]) -> Nps | None:
    """Their NPS; None where too few are shown."""
    scores = [answer.score for answer in answers]
    return nps(scores) if len(scores) >= LEAST else None


def payout(own: Nps | None, branch: Nps | None) -> int:
    """In cents: the whole target bonus on the own figure, on the branch's where there is none."""
    shown = own or branch
    assert shown is not None
    return cents(TARGET_BONUS * curve(Decimal(str(shown.value)), 0, 40, 80, Decimal("1.5")))


def payouts(answers: Iterable[Job], mechanics: Iterable[str], *, own: bool) -> dict[str, int]:
    """What every mechanic earns; `own`: only on answers about what a mechanic can influence."""
    counted = [answer for answer in answers if answer.mechanics_own or not own]
    earned = {}
    for mechanic in mechanics:
        branch = mechanic.split("-", 1)[0]
        earned[mechanic] = payout(
            figure(answer for answer in counted if answer.mechanic == mechanic),
            figure(answer for answer in counted if answer.branch == branch),
        )
    return earned


def nps_differs(first: Counts, second: Counts) -> float:
    """z of two groups: (m'₁ − m'₂)/√(SE'₁² + SE'₂²), with the adjusted shares of the interval."""
    (m1, v1), (m2, v2) = _adjusted(first), _adjusted(second)
    return (m1 - m2) / sqrt(v1 + v2)


def _adjusted(counts: Counts) -> tuple[float, float]:
    """m' and its variance."""
    n = counts.n + 3
    p, d = (counts.promoters + 0.75) / n, (counts.detractors + 0.75) / n
    return p - d, (p + d - (p - d) ** 2) / n


def share_differs(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """z of two shares, with the pooled variance."""
    pooled = (hits + other_hits) / (n + other_n)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
    return (hits / n - other_hits / other_n) / error if error else 0.0
