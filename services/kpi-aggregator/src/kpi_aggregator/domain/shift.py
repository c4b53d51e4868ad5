"""Whether a rolling figure has moved: the last window against the one before it."""

import math
from dataclasses import dataclass
from datetime import date

from kpi_aggregator.domain.kpi import SCALES, Scale
from kpi_aggregator.domain.period import Days, rolling
from kpi_aggregator.domain.sums import Sums


@dataclass(frozen=True, slots=True)
class ShiftSettings:
    """`z`: how large |z| must be. It is looked at day after day, so it is well above the 1.96 of a single look."""

    z: float = 3.0
    window_days: int = 30


@dataclass(frozen=True, slots=True)
class Moved:
    """A difference in z from the window before to the last one."""

    z: float
    value: Sums
    before: Sums


def windows_until(today: date, settings: ShiftSettings) -> tuple[Days, Days]:
    """The window that ends with today, and the one before it."""
    last = rolling(f"{settings.window_days}d", today)
    return last, Days(last.start - (last.end - last.start), last.start)


def moved(kpi: str, value: Sums, before: Sums, *, min_n: int, settings: ShiftSettings) -> Moved | None:
    """None while either window has fewer than `min_n` responses, or the two differ by less than |z|."""
    if min(value.n, before.n) < min_n:
        return None
    z = z_between(SCALES[kpi], value, before)
    return Moved(z, value, before) if abs(z) >= settings.z else None


def z_between(scale: Scale, first: Sums, second: Sums) -> float:
    """z = (m'₁ − m'₂)/√(SE'₁² + SE'₂²); 0 where neither group varies at all."""
    (m1, v1), (m2, v2) = _mean_and_error(scale, first), _mean_and_error(scale, second)
    return (m1 - m2) / math.sqrt(v1 + v2) if v1 + v2 > 0 else 0.0


def _mean_and_error(scale: Scale, sums: Sums) -> tuple[float, float]:
    """The mean of x and its squared error, on effective counts: NPS with the three added answers of its interval,
    CSAT with one added on either side (Agresti and Caffo, 2000), CES as in Welch's test."""
    n = sums.n_eff
    if scale.x == "balance":
        p = (n * sums.w_promoters / sums.w + 0.75) / (n + 3)
        d = (n * sums.w_detractors / sums.w + 0.75) / (n + 3)
        return p - d, (p + d - (p - d) ** 2) / (n + 3)
    if scale.x == "top":
        p = (n * sums.mean + 1) / (n + 2)
        return p, p * (1 - p) / (n + 2)
    return sums.mean, sums.variance / (n - 1) if n > 1 else 0.0
