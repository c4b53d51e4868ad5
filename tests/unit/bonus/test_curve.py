from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonus.domain.curve import Curve
from bonus.domain.money import decimal_text

from .builders import CURVE

JUMP = Curve(
    threshold=Decimal(30),
    target=Decimal(40),
    excellence=Decimal(60),
    cap=Decimal("1.5"),
    at_threshold=Decimal("0.5"),
)
BELOW_ZERO = Curve(threshold=Decimal(-20), target=Decimal(-5), excellence=Decimal(10), cap=Decimal("1.5"))
SCORES = st.decimals(min_value=-100, max_value=100, places=1)


@pytest.mark.parametrize(
    ("curve", "score", "multiple"),
    [
        (CURVE, "29.9", "0"),
        (CURVE, "30", "0"),
        (CURVE, "35", "0.5"),
        (CURVE, "40", "1"),
        (CURVE, "45", "1.125"),
        (CURVE, "60", "1.5"),
        (CURVE, "75", "1.5"),
        (JUMP, "29.9", "0"),
        (JUMP, "30", "0.5"),
        (JUMP, "35", "0.75"),
        (BELOW_ZERO, "-10", "0.666667"),
        (BELOW_ZERO, "2.5", "1.25"),
    ],
)
def test_the_curve_pays(curve: Curve, score: str, multiple: str) -> None:
    assert decimal_text(curve.multiple(Decimal(score))) == multiple


def test_without_the_cap_the_last_slope_goes_on() -> None:
    assert CURVE.multiple(Decimal(75), capped=False) == Fraction(15, 8)


def test_attainment_is_measured_from_the_threshold_and_may_be_negative() -> None:
    assert BELOW_ZERO.attainment(Decimal(-35)) == -1


@given(SCORES, SCORES)
def test_a_better_score_never_pays_less(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    for curve in (CURVE, JUMP, BELOW_ZERO):
        assert curve.multiple(low) <= curve.multiple(high)
        assert curve.multiple(low, capped=False) <= curve.multiple(high, capped=False)
