"""Exact sums over counted responses: integers only, so that adding and taking away never drifts."""

from operator import add, sub
from typing import NamedTuple

from kpi_aggregator.domain.kpi import Scale, category, point


class Sums(NamedTuple):
    """n responses with weights w in millionths and points x.

    Counts; Σw in all, of promoters, of detractors; Σwx; Σwx²; Σw² in millionths².
    """

    n: int = 0
    promoters: int = 0
    detractors: int = 0
    w: int = 0
    w_promoters: int = 0
    w_detractors: int = 0
    wx: int = 0
    wxx: int = 0
    w2: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums._make(map(add, self, other))

    def minus(self, other: "Sums") -> "Sums":
        """These without the others."""
        return Sums._make(map(sub, self, other))

    @property
    def passives(self) -> int:
        """Neither promoters nor detractors."""
        return self.n - self.promoters - self.detractors

    @property
    def n_eff(self) -> float:
        """W²/Σw²: how many equally weighted responses carry as much information; 0.0 for none."""
        return self.w * self.w / self.w2 if self.w2 else 0.0

    @property
    def mean(self) -> float:
        """Mean of x; only for n > 0."""
        return self.wx / self.w

    @property
    def variance(self) -> float:
        """Variance of x around its own mean (not the sample's estimate); only for n > 0. Exact, 0 when all agree."""
        return (self.wxx * self.w - self.wx * self.wx) / (self.w * self.w)


NOTHING = Sums()


def counted(scale: Scale, score: int, weight: int) -> Sums:
    """One answer with its weight in millionths."""
    x = point(scale, score)
    kind = category(scale, score)
    promoter, detractor = int(kind == "promoter"), int(kind == "detractor")
    return Sums(
        n=1,
        promoters=promoter,
        detractors=detractor,
        w=weight,
        w_promoters=weight * promoter,
        w_detractors=weight * detractor,
        wx=weight * x,
        wxx=weight * x * x,
        w2=weight * weight,
    )
