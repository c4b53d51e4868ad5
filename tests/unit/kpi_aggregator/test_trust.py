"""How much about single persons can be shown: counts and deciles, and nobody's own figure."""

import pytest

from kpi_aggregator.domain.contribution import WHOLE
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.reliability import Prior, shrink
from kpi_aggregator.domain.sums import NOTHING, Sums, counted
from kpi_aggregator.domain.trust import trust

PRIOR = Prior(mean=40, sd_between=15, sd_within=80)


def person(answers: int) -> Sums:
    sums = NOTHING
    for _ in range(answers):
        sums = sums.plus(counted(SCALES["nps"], 9, WHOLE))
    return sums


def test_persons_are_shown_from_the_least_count_on_and_nobody_unanswered_counts() -> None:
    found = trust([person(n) for n in (0, 1, 4, 5, 9)], prior=PRIOR, kpi="nps", min_n=5)
    assert (found.shown, found.suppressed) == (2, 2)


def test_the_deciles_of_four_persons_are_not_told() -> None:
    found = trust([person(9)] * 4, prior=PRIOR, kpi="nps", min_n=5)
    assert found.reliability == (None, None, None)


def test_the_median_of_five_is_the_third_and_the_tenths_lie_around_it() -> None:
    low, median, high = trust(
        [person(n) for n in (5, 10, 20, 40, 80)], prior=PRIOR, kpi="nps", min_n=5
    ).reliability
    assert median is not None
    assert median == pytest.approx(shrink(100, 20, PRIOR).reliability)
    assert low is not None
    assert high is not None
    assert shrink(100, 5, PRIOR).reliability < low < median < high < shrink(100, 80, PRIOR).reliability


def test_nobody_at_all_is_no_error() -> None:
    assert trust([], prior=PRIOR, kpi="ces", min_n=5).shown == 0
