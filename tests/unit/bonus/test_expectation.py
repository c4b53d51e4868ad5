from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import pytest

from bonus.domain.expectation import expected_multiple
from bonus.domain.missing import MissingFigureError
from bonus.domain.money import round_half_even
from bonus.domain.settlement import settle
from bonus.domain.snapshot import Figures, Prior
from bonus.domain.statement import retraced

from .builders import CURVE, assigned, component, figure, of, payouts, plan, standing

PRIOR = Prior(mean=Decimal(40), sd_between=Decimal(15))
OWN = figure("employee:m1", "45", reliability=Decimal("0.412844"), prior=PRIOR)


def f(*, at_most_one: bool = False, capped: bool = True, **changed: Any) -> Fraction:
    told: dict[str, Any] = {"reliability": Decimal("0.412844"), "prior": PRIOR} | changed
    own = figure("employee:m1", "45", **told)
    return expected_multiple(component(), own, of(own), at_most_one=at_most_one, capped=capped)


def test_the_published_prior_and_twenty_responses() -> None:
    """λ .4128, θ 42.06: F .859301."""
    assert f() == Fraction("0.859301")


def test_a_score_that_is_certain_pays_the_curve() -> None:
    assert f(reliability=Decimal(1)) == CURVE.multiple(Decimal(45)) == Fraction(9, 8)


def test_people_who_do_not_differ_are_paid_the_common_mean() -> None:
    alike = Prior(mean=Decimal(40), sd_between=Decimal(0))
    assert f(reliability=Decimal(0), prior=alike) == 1


def test_an_uncertain_score_near_the_threshold_still_pays_something() -> None:
    low = figure("employee:m1", "0", reliability=Decimal("0.4"), prior=PRIOR)
    assert 0 < expected_multiple(component(), low, of(low), at_most_one=False) < 1


def test_individual_plans_expect_at_most_one() -> None:
    assert f(at_most_one=True) < f()
    assert f() < f(capped=False)


def test_the_closed_form_is_the_integral() -> None:
    """The mean of the curve over a fine grid of the normal distribution."""
    believed = NormalDist(42.06422, 15 * (1 - 0.412844) ** 0.5)
    grid = [believed.inv_cdf((step + 0.5) / 20_000) for step in range(20_000)]
    mean = sum(float(CURVE.multiple(Decimal(score))) for score in grid) / len(grid)
    assert float(f()) == pytest.approx(mean, abs=1e-4)


def test_without_a_prior_the_close_stops() -> None:
    with pytest.raises(MissingFigureError, match="mode B needs one"):
        f(prior=None)


def test_everybody_at_once_gets_what_each_gets_alone() -> None:
    rules = plan(
        component("own", weight="0.6"),
        component("unit", scope="own_unit", weight="0.4"),
        payees=["m1", "m2"],
        reliability_mode="B",
    )
    figures: Figures = of(OWN, figure("org_unit:north", "33"))
    where = standing(m1=[assigned()], m2=[assigned()])
    settled, _ = settle(rules, where, figures)
    assert payouts(settled) == {"m1": round_half_even(Fraction("51558.06") + 12_000), "m2": 30_000}
    for payee, one in zip(rules.payees, settled, strict=True):
        alone = retraced(rules, payee, one.payout, standing=where, figures=figures)
        assert one.payout == round_half_even(alone.earnings.amount)
