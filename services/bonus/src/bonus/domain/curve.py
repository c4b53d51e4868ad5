"""The payout curve: how a score becomes a multiple of the target bonus.

Never actual ÷ target, because a score such as NPS may be zero or negative.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Points of the score (`threshold` < `target` < `excellence`) and what is paid there.

    `at_threshold` is the multiple at the threshold (above 0: a jump), 1 at the target, `cap` from excellence on.
    """

    threshold: Decimal
    target: Decimal
    excellence: Decimal
    cap: Decimal
    at_threshold: Decimal = Decimal(0)

    def multiple(self, score: Decimal, *, capped: bool = True) -> Fraction:
        """f: 0 below the threshold, then two straight lines. Not `capped`: the last slope goes on for ever."""
        y = Fraction(score)
        low, goal, top = Fraction(self.threshold), Fraction(self.target), Fraction(self.excellence)
        start, cap = Fraction(self.at_threshold), Fraction(self.cap)
        if y < low:
            return Fraction(0)
        if y < goal:
            return start + (1 - start) * (y - low) / (goal - low)
        if capped and y >= top:
            return cap
        return 1 + (cap - 1) * (y - goal) / (top - goal)

    def attainment(self, score: Decimal) -> Fraction:
        """How far the score is on the way from threshold (0) to target (1); only for display."""
        low = Fraction(self.threshold)
        return (Fraction(score) - low) / (Fraction(self.target) - low)
