"""Mode B: a personal score pays what the curve is expected to pay, given how unsure the score is.

E f(θ) with θ ~ N(θᵢ, sd²), θᵢ = λ·y + (1 − λ)·μ and sd = τ·√(1 − λ): no cliff, and few answers pay what is usual among
peers. The integral has a closed form by L(k) = E max(θ − k, 0).
"""

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from bonus.domain.curve import Curve
from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Component
from bonus.domain.snapshot import Figure, Figures

PLACES = 6
"""What floats are rounded to before money is made of them."""


def expected_multiple(
    component: Component, own: Figure, figures: Figures, *, at_most_one: bool, capped: bool = True
) -> Fraction:
    """F of a personal score. In another view than the plan's, where they may be unknown, λ, μ and τ are the plan's.

    Raises MissingFigureError without λ or prior.
    """
    known = own if own.prior is not None else figures.employee(own.kpi, own.scope_id, component.view)
    if known is None or known.prior is None or known.reliability is None or own.score is None:
        raise MissingFigureError(
            f"there is no prior for the {own.kpi} of {own.scope_id}: mode B needs one in the KPI's settings"
        )
    prior, kept = known.prior, known.reliability
    return _expected(
        component.curve,
        kept * own.score + (1 - kept) * prior.mean,
        float(prior.sd_between) * math.sqrt(1 - kept),
        at_most_one and capped,
        capped,
    )


@lru_cache(maxsize=50_000)
def _expected(curve: Curve, theta: Decimal, sd: float, at_most_one: bool, capped: bool) -> Fraction:
    if sd == 0:
        certain = curve.multiple(theta, capped=capped)
        return min(certain, Fraction(1)) if at_most_one else certain
    mean = float(theta)
    low, goal, top = float(curve.threshold), float(curve.target), float(curve.excellence)
    start, cap = float(curve.at_threshold), float(curve.cap)

    def above(point: float) -> float:
        """L(k) = (θ − k)·Φ((θ − k)/sd) + sd·φ((θ − k)/sd)."""
        z = (mean - point) / sd
        return (mean - point) * _phi(z) + sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    f = start * _phi((mean - low) / sd) + (1 - start) / (goal - low) * (above(low) - above(goal))
    if not at_most_one:
        beyond = above(goal) - (above(top) if capped else 0)
        f += (cap - 1) / (top - goal) * beyond
    return Fraction(round(f * 10**PLACES), 10**PLACES)


def _phi(z: float) -> float:
    """Φ, the normal distribution function."""
    return math.erfc(-z / math.sqrt(2)) / 2
