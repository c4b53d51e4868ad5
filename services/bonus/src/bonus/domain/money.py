"""Money is whole minor units; everything before the one rounding is an exact fraction."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor


def round_half_even(amount: Fraction) -> int:
    """The nearest whole minor unit; exactly halfway goes to the even one."""
    return round(amount)


def quotient_half_even(over: int, under: int) -> int:
    """`over` / `under` (> 0) rounded likewise, without making a fraction of it."""
    whole, rest = divmod(over, under)
    return whole + (2 * rest > under or (2 * rest == under and whole % 2))


def apportion(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole amounts near `exact` that sum to `total`: everybody the floor, then one each by largest remainder.

    `total` is the rounded sum of `exact`; equal remainders are served in the order given. Amounts may be negative.
    """
    parts = [floor(amount) for amount in exact]
    short = total - sum(parts)
    if not 0 <= short <= len(parts):
        raise ValueError(f"{total} is not the rounded sum of the parts")
    neediest = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in neediest[:short]:
        parts[i] += 1
    return parts


def decimal_text(number: Decimal | Fraction, places: int = 6) -> str:
    """A plain decimal without trailing zeros: "0.6", "1.125", "-5"; fractions are rounded half even."""
    if isinstance(number, Fraction):
        number = Decimal(round(number * 10**places)).scaleb(-places)
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def displayed(score: Fraction) -> Decimal:
    """A score as it is shown and as it enters a curve: one decimal, half even."""
    return Decimal(round(score * 10)).scaleb(-1).quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
