"""How much of a figure is signal: shrinkage of a score towards what its peers suggest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kpi_aggregator.domain.sums import Sums

ENOUGH_PEERS = 10


@dataclass(frozen=True, slots=True)
class Prior:
    """What is expected before anybody answered, in the KPI's own points: μ, τ between and σ within subjects.

    `peers` is how many peers there were; `source` says whether they made the prior or the published one was used.
    """

    mean: float
    sd_between: float
    sd_within: float
    source: Literal["published", "peers"] = "published"
    peers: int = 0


@dataclass(frozen=True, slots=True)
class Shrunk:
    """λ in 0…1 and the score after shrinkage."""

    reliability: float
    score: float


def shrink(score: float, n_eff: float, prior: Prior) -> Shrunk:
    """λ = τ²/(τ² + σ²/n), θ = λ·y + (1 − λ)·μ; λ = 0 where neither τ nor σ is positive."""
    between, within = prior.sd_between**2, prior.sd_within**2
    noise = between + within / n_eff
    reliability = between / noise if noise > 0 else 0.0
    return Shrunk(reliability, reliability * score + (1 - reliability) * prior.mean)


def prior_of(peers: Sequence[Sums], *, factor: int, published: Prior) -> Prior:
    """The prior estimated from at least ten peers, else the published one.

    One-way random effects on effective counts nᵢ, N = Σnᵢ, k peers: σ² pooled within, n₀ = (N − Σnᵢ²/N)/(k − 1),
    τ² = max(0, (MSB − σ²)/n₀), μ the mean over all answers. Published too when nobody has two answers.
    """
    present = [sums for sums in peers if sums.n > 0]
    k, sizes = len(present), [sums.n_eff for sums in present]
    total = sum(sizes)
    spread = total - sum(size * size for size in sizes) / total if total else 0.0
    if k < ENOUGH_PEERS or total - k < 1e-9 or spread <= 0:
        return Prior(published.mean, published.sd_between, published.sd_within, peers=k)
    grand = sum(size * sums.mean for size, sums in zip(sizes, present, strict=True)) / total
    within = sum(size * sums.variance for size, sums in zip(sizes, present, strict=True)) / (total - k)
    msb = sum(size * (sums.mean - grand) ** 2 for size, sums in zip(sizes, present, strict=True)) / (k - 1)
    between = max(0.0, (msb - within) / (spread / (k - 1)))
    return Prior(factor * grand, factor * math.sqrt(between), factor * math.sqrt(within), "peers", k)
