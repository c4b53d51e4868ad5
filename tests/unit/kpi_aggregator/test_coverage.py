"""Shares with Wilson's interval, and answers of few that are not told."""

import pytest

from kpi_aggregator.domain.coverage import Asked, coverage
from kpi_aggregator.domain.period import calendar

QUARTER = calendar("2026Q1")


def test_coverage_is_sent_among_eligible_with_wilsons_interval() -> None:
    shown = coverage("employee", "m1", QUARTER, Asked(12, 10, 9, 1, 2, 6), min_n=5)
    assert (shown.coverage, shown.ci95) == (0.9, (0.5958, 0.9821))
    assert (shown.answered, shown.answer_rate, shown.suppressed) == (6, 0.6667, False)


@pytest.mark.parametrize(("answered", "suppressed"), [(0, False), (1, True), (4, True), (5, False)])
def test_answers_of_few_are_not_told(answered: int, suppressed: bool) -> None:
    shown = coverage("employee", "m1", QUARTER, Asked(10, 10, 10, 0, 0, answered), min_n=5)
    assert shown.suppressed is suppressed
    assert (shown.answered is None, shown.answer_rate is None) == (suppressed, suppressed)
    assert shown.coverage == 1


def test_without_invitations_there_is_no_share() -> None:
    shown = coverage("employee", "m1", QUARTER, Asked(interactions=3), min_n=5)
    assert (shown.coverage, shown.ci95, shown.answer_rate, shown.reason) == (
        None,
        None,
        None,
        "no invitations recorded",
    )
