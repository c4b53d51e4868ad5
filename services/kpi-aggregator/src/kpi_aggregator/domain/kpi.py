"""The key figures and what one answer is worth in each."""

from dataclasses import dataclass
from typing import Literal

Kpi = Literal["nps", "csat", "ces"]
Category = Literal["promoter", "passive", "detractor"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How answers become a figure: value = `factor` · mean of x, shown with `decimals`.

    Answers from `high` up are promoters, up to `low` detractors. x is −1, 0, 1 (balance), 0, 1 (top) or the answer.
    """

    kpi: Kpi
    x: Literal["balance", "top", "answer"]
    high: int
    low: int
    factor: int
    decimals: int
    least: float
    most: float


SCALES: dict[str, Scale] = {
    "nps": Scale("nps", "balance", high=9, low=6, factor=100, decimals=1, least=-100, most=100),
    "csat": Scale("csat", "top", high=4, low=2, factor=100, decimals=1, least=0, most=100),
    "ces": Scale("ces", "answer", high=5, low=3, factor=1, decimals=2, least=1, most=7),
}


def category(scale: Scale, score: int) -> Category:
    """Promoter, passive or detractor; for CSAT and CES the satisfied, the middle and the dissatisfied."""
    if score >= scale.high:
        return "promoter"
    return "detractor" if score <= scale.low else "passive"


def point(scale: Scale, score: int) -> int:
    """x of one answer."""
    if scale.x == "answer":
        return score
    if score >= scale.high:
        return 1
    return -1 if scale.x == "balance" and score <= scale.low else 0
