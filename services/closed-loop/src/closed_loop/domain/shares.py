"""A share and how sure it is."""

import math
from dataclasses import dataclass

Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """`k` of `n`, with the 95 % interval; value and interval are None of nothing."""

    k: int
    n: int
    value: float | None
    ci95: tuple[float, float] | None


def share(k: int, n: int) -> Share:
    if n == 0:
        return Share(k, n, None, None)
    return Share(k, n, k / n, wilson(k, n))


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's score interval (1927): (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96."""
    p, z2 = k / n, Z95 * Z95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
