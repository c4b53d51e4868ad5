"""Exact shares of one response, made into whole millionths that still sum to exactly one."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, TypeVar

MILLION = 1_000_000

Key = TypeVar("Key", bound=tuple[str, str, str])
"""(subject type, subject id, cause)"""


class Ratio(NamedTuple):
    """over / under, not reduced: a Fraction that costs nothing to make."""

    over: int
    under: int


def millionths(exact: Mapping[Key, Ratio]) -> dict[Key, int]:
    """Largest remainder: round every share down, then one millionth more for the largest remainders.

    Ties go to the smaller key. The shares must sum to 1; then a share of 0 stays 0.
    """
    whole = {key: share.over * MILLION // share.under for key, share in exact.items()}
    left_over = MILLION - sum(whole.values())
    if left_over:
        remainder = {
            key: Fraction(share.over * MILLION % share.under, share.under) for key, share in exact.items()
        }
        for key in sorted(exact, key=lambda key: (-remainder[key], key))[:left_over]:
            whole[key] += 1
    return whole
