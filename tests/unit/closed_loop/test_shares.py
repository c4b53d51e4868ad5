"""A share and how sure it is."""

import pytest

from closed_loop.domain.shares import share


def test_of_nothing_there_is_no_share() -> None:
    assert (share(0, 0).value, share(0, 0).ci95) == (None, None)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_is_wilsons(k: int, n: int, low: float, high: float) -> None:
    interval = share(k, n).ci95
    assert interval is not None
    assert interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
