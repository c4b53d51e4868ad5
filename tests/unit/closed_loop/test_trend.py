"""A change is only called one when it is unlikely to be chance."""

import pytest

from closed_loop.domain.trend import Answers, trend


def test_the_interval_of_one_score_is_that_of_fairness() -> None:
    """P 12, N 5, D 3 has the interval [8.4, 69.8]; against itself the difference is 0 and √2 as wide."""
    same = Answers(20, 12 / 20, 3 / 20)
    found = trend(same, same)
    assert (found.change, found.z, found.moved) == (0.0, 0.0, False)
    assert found.high - found.low == pytest.approx((69.8 - 8.4) * 2**0.5, abs=0.2)


def test_twenty_answers_each_tell_nothing_where_two_thousand_do() -> None:
    before, now = (0.60, 0.20), (0.66, 0.16)
    few = trend(Answers(20, *before), Answers(20, *now))
    many = trend(Answers(2000, *before), Answers(2000, *now))
    assert not few.moved
    assert many.moved
    assert many.low > 0
    assert many.z == pytest.approx(0.1 / ((0.64 + 0.57) / 2000) ** 0.5, abs=0.05)
