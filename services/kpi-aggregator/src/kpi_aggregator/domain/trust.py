"""How much of what is known about single persons can be shown, and how reliable it is: counts and deciles only."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import quantiles

from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.reliability import Prior, shrink
from kpi_aggregator.domain.sums import Sums

DECILES = (1, 5, 9)
ENOUGH = 5
"""Of fewer persons a decile would be somebody's own."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Persons whose figure is shown or suppressed; `reliability` at each of DECILES, None of too few."""

    shown: int
    suppressed: int
    reliability: tuple[float | None, ...]


def trust(people: Iterable[Sums], *, prior: Prior, kpi: str, min_n: int) -> Trust:
    """Of everybody who was answered about: who is shown by the rule of `figure`, and λ of those."""
    answered = [sums for sums in people if sums.n > 0]
    shown = [sums for sums in answered if sums.n >= min_n]
    factor = SCALES[kpi].factor
    reliabilities = [shrink(factor * sums.mean, sums.n_eff, prior).reliability for sums in shown]
    deciles: tuple[float | None, ...] = (None,) * len(DECILES)
    if len(shown) >= ENOUGH:
        tenths = quantiles(reliabilities, n=10, method="inclusive")
        deciles = tuple(tenths[place - 1] for place in DECILES)
    return Trust(len(shown), len(answered) - len(shown), deciles)
