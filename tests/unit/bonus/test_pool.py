from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bonus.domain.pool import share_pool

CLAIMS = st.dictionaries(
    st.text(min_size=1, max_size=6),
    st.fractions(min_value=0, max_value=10**6, max_denominator=1000),
    max_size=12,
)


def test_the_largest_remainder_gets_the_cent() -> None:
    claims = {"a": Fraction("78.26"), "b": Fraction("17.39"), "c": Fraction("4.35")}
    assert share_pool(100, claims, caps={}, period="2026Q1").paid == {"a": 78, "b": 18, "c": 4}


def test_without_any_claim_nothing_is_paid() -> None:
    shared = share_pool(100, {"a": Fraction(0)}, caps={}, period="2026Q1")
    assert (shared.paid, shared.unspent) == ({"a": 0}, 100)


def test_the_odd_cent_of_equals_is_drawn_by_period_and_payee() -> None:
    claims = {"a": Fraction(1), "b": Fraction(1)}
    winners = {
        max(paid, key=lambda who: paid[who])
        for period in map(str, range(20))
        if (paid := share_pool(1, claims, caps={}, period=period).paid)
    }
    assert winners == {"a", "b"}


@given(st.integers(0, 10**9), CLAIMS, st.dictionaries(st.text(min_size=1, max_size=6), st.integers(0, 10**6)))
def test_payouts_and_the_unspent_rest_are_the_pool(
    pool: int, claims: dict[str, Fraction], caps: dict[str, int]
) -> None:
    shared = share_pool(pool, claims, caps=caps, period="2026Q1")
    assert sum(shared.paid.values()) + shared.unspent == pool
    assert all(0 <= amount <= caps.get(who, pool) for who, amount in shared.paid.items())
