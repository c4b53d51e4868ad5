"""95 % intervals of the figures, on the plain scale of x (NPS −1…1, CSAT 0…1, CES 1…7)."""

import math
from functools import lru_cache

Z95 = 1.96

Interval = tuple[float, float]


def adjusted_wald(promoters: float, detractors: float, n: float) -> Interval:
    """Interval of a balance p − d from (effective) counts: an adjusted Wald interval for the net promoter score.

    Three answers are added, ¾ promoter, ¾ detractor and 1½ passive (constants of Rocks, 2016, after Agresti and Coull):

    n' = n + 3, p' = (P + ¾)/n', d' = (D + ¾)/n', m' = p' − d', m' ± 1.96·√((p' + d' − m'²)/n'), clipped to ±1.
    """
    n_adjusted = n + 3
    p = (promoters + 0.75) / n_adjusted
    d = (detractors + 0.75) / n_adjusted
    m = p - d
    half = Z95 * math.sqrt((p + d - m * m) / n_adjusted)
    return max(-1.0, m - half), min(1.0, m + half)


def wilson(p: float, n: float) -> Interval:
    """Wilson's score interval of a proportion over n > 0 (effective) answers."""
    z2 = Z95 * Z95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_t(mean: float, variance: float, n: float) -> Interval:
    """Student's t interval of a mean over n > 1 (effective) answers; `variance` is the one around the mean."""
    half = t_quantile_975(round(n - 1, 4)) * math.sqrt(variance / (n - 1))
    return mean - half, mean + half


@lru_cache(maxsize=4096)
def t_quantile_975(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, found by halving; degrees of freedom may be fractional."""
    low, high = 0.0, 1.0
    while _t_tail(high, freedom) > 0.025:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_tail(middle, freedom) > 0.025 else (low, middle)
    return (low + high) / 2


def _t_tail(t: float, freedom: float) -> float:
    """P(T > t) for t ≥ 0: half the regularised incomplete beta function at ν/(ν + t²)."""
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    if x in {0.0, 1.0}:
        return x
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    fraction = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            step = d * c
            fraction *= step
        if abs(step - 1) < 1e-14:
            break
    return fraction
