"""When a rolling figure counts as moved."""

import math
from datetime import date

import pytest

from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.shift import ShiftSettings, moved, windows_until, z_between
from kpi_aggregator.domain.sums import NOTHING, Sums, counted


def sums(kpi: str, scores: list[int]) -> Sums:
    found = NOTHING
    for score in scores:
        found = found.plus(counted(SCALES[kpi], score, 1_000_000))
    return found


FIRST = sums("nps", [10] * 18 + [3] * 2)
SECOND = sums("nps", [10] * 4 + [3] * 16)


def test_two_groups_differ_by_the_adjusted_z() -> None:
    # m' = 16/23 and −12/23; squared errors (21.5/23 − m'²)/23
    errors = [(21.5 / 23 - m * m) / 23 for m in (16 / 23, -12 / 23)]
    assert z_between(SCALES["nps"], SECOND, FIRST) == pytest.approx(-28 / 23 / math.sqrt(sum(errors)))
    assert z_between(SCALES["nps"], FIRST, SECOND) == -z_between(SCALES["nps"], SECOND, FIRST)


def test_csat_and_ces_have_a_z_of_their_own() -> None:
    # (19/22 − 5/22)/√((19·3 + 5·17)/22³)
    csat = z_between(SCALES["csat"], sums("csat", [5] * 18 + [1] * 2), sums("csat", [5] * 4 + [1] * 16))
    assert csat == pytest.approx((14 / 22) / math.sqrt((19 * 3 + 5 * 17) / 22**3))
    # means 6 and 3, variances 1 around them, 10 answers each
    ces = z_between(SCALES["ces"], sums("ces", [5, 7] * 5), sums("ces", [2, 4] * 5))
    assert ces == pytest.approx(3 / math.sqrt(1 / 9 + 1 / 9))


def test_groups_that_do_not_vary_at_all_say_nothing() -> None:
    assert z_between(SCALES["ces"], sums("ces", [7] * 10), sums("ces", [1] * 10)) == 0.0


def test_a_difference_counts_from_the_threshold_on_and_with_enough_answers_in_both_windows() -> None:
    z = abs(z_between(SCALES["nps"], SECOND, FIRST))

    assert moved("nps", SECOND, FIRST, min_n=20, settings=ShiftSettings(z=z)) is not None
    assert moved("nps", SECOND, FIRST, min_n=20, settings=ShiftSettings(z=z + 0.01)) is None
    assert moved("nps", SECOND, FIRST, min_n=21, settings=ShiftSettings(z=z)) is None


def test_the_windows_lie_side_by_side_and_end_with_today() -> None:
    last, before = windows_until(date(2026, 3, 2), ShiftSettings(window_days=30))

    assert last == Days(date(2026, 2, 1), date(2026, 3, 3))
    assert before == Days(date(2026, 1, 2), date(2026, 2, 1))
