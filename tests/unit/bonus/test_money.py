from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonus.domain.money import apportion, decimal_text, displayed, round_half_even


def test_half_a_cent_goes_to_the_even_neighbour() -> None:
    assert [round_half_even(Fraction(half, 2)) for half in (1, 3, 5, -1)] == [0, 2, 2, 0]


def test_the_cent_left_over_goes_to_the_largest_remainder() -> None:
    exact = [Fraction("67500.675"), Fraction("9000.09"), Fraction("5000.05")]
    assert apportion(81501, exact) == [67501, 9000, 5000]


@given(
    st.lists(
        st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6), min_size=1, max_size=12
    )
)
def test_parts_sum_to_the_rounded_total_and_move_less_than_a_cent(exact: list[Fraction]) -> None:
    total = round_half_even(sum(exact, Fraction(0)))
    parts = apportion(total, exact)
    assert sum(parts) == total
    assert all(abs(part - amount) <= 1 for part, amount in zip(parts, exact, strict=True))


def test_a_total_that_is_not_the_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="not the rounded sum"):
        apportion(12, [Fraction(1), Fraction(2)])


def test_decimals_are_shown_plainly() -> None:
    assert [
        decimal_text(Fraction(9, 8)),
        decimal_text(Decimal("30.0")),
        decimal_text(Fraction(-1, 10**9)),
    ] == [
        "1.125",
        "30",
        "0",
    ]
    assert decimal_text(Fraction(2, 3)) == "0.666667"


def test_a_score_is_displayed_with_one_decimal_half_even() -> None:
    assert [str(displayed(Fraction(text))) for text in ("44.95", "45.05", "-0.04")] == ["45.0", "45.0", "0.0"]
