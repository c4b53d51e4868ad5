"""NPS, CSAT and CES with their intervals, to the printed digits."""

import pytest

from kpi_aggregator.domain.contribution import WHOLE
from kpi_aggregator.domain.figure import Figure, figure
from kpi_aggregator.domain.intervals import adjusted_wald, mean_t, t_quantile_975, wilson
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import calendar
from kpi_aggregator.domain.settings import DEFAULTS
from kpi_aggregator.domain.sums import NOTHING, counted


def of(kpi: str, scores: list[int], weight: int = WHOLE) -> Figure:
    sums = NOTHING
    for score in scores:
        sums = sums.plus(counted(SCALES[kpi], score, weight))
    scope = Scope("employee", "m1", "all")
    return figure(kpi, scope, calendar("2026"), sums, prior=DEFAULTS[kpi].prior, min_n=1)


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "value", "interval"),
    [
        (12, 5, 3, 45.0, (8.4, 69.8)),
        (13, 5, 2, 55.0, (19.3, 76.4)),
        (13, 5, 1, 63.2, (27.9, 81.2)),
        (12, 5, 1, 61.1, (24.8, 80.0)),
    ],
)
def test_nps_with_its_adjusted_wald_interval(
    promoters: int, passives: int, detractors: int, value: float, interval: tuple[float, float]
) -> None:
    nps = of("nps", [9] * promoters + [8] * passives + [6] * detractors)

    assert (nps.n, nps.value, nps.ci95) == (promoters + passives + detractors, value, interval)


def test_six_detractors_more_bring_45_down_to_11_point_5() -> None:
    assert of("nps", [10] * 12 + [7] * 5 + [0] * 9).value == 11.5


@pytest.mark.parametrize(("n", "half_width"), [(30, 27), (100, 15.5), (200, 11), (400, 8)])
def test_half_widths_at_60_20_20(n: int, half_width: float) -> None:
    low, high = adjusted_wald(0.6 * n, 0.2 * n, n)

    assert 50 * (high - low) == pytest.approx(half_width, abs=0.6)


def test_nps_is_between_minus_100_and_100_and_so_is_its_interval() -> None:
    best, worst = of("nps", [10] * 3), of("nps", [0] * 3)

    assert best.value == 100.0
    assert best.ci95 is not None
    assert best.ci95[1] == 100.0
    assert worst.value == -100.0
    assert worst.ci95 is not None
    assert worst.ci95[0] == -100.0


def test_a_value_half_way_between_two_tenths_is_rounded_to_the_even_one() -> None:
    # 1 − 0.9975 of 400 → 0.25 points
    assert of("nps", [9] + [7] * 399).value == 0.2
    assert of("nps", [9] * 3 + [7] * 397).value == 0.8


def test_csat_is_the_share_of_the_top_two_boxes_with_wilsons_interval() -> None:
    csat = of("csat", [5] * 30 + [4] * 50 + [3] * 10 + [1] * 10)

    assert (csat.value, csat.ci95) == (80.0, (71.1, 86.7))
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_ces_is_the_mean_with_a_t_interval() -> None:
    ces = of("ces", [5, 6, 7, 6, 4, 7])

    assert ces.value == 5.83
    assert ces.ci95 == (4.61, 7.0)
    assert of("ces", [6]).ci95 is None


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062), (4, 2.7764), (30, 2.0423), (1000, 1.9623)])
def test_students_quantile(freedom: float, quantile: float) -> None:
    assert t_quantile_975(freedom) == pytest.approx(quantile, abs=1e-4)


def test_a_mean_without_spread_has_no_width() -> None:
    assert mean_t(6.0, 0.0, 4) == (6.0, 6.0)


def test_equal_weights_below_one_change_neither_value_nor_information() -> None:
    half = of("nps", [9] * 12 + [8] * 5 + [6] * 3, weight=500_000)

    assert (half.weight, half.n_eff, half.value, half.ci95) == ("10.000000", 20.0, 45.0, (8.4, 69.8))
