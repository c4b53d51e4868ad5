"""A range cut into steps."""

from datetime import date

import pytest

from kpi_aggregator.domain.period import Days, PeriodError
from kpi_aggregator.domain.series import Step, steps


@pytest.mark.parametrize(
    ("step", "starts"),
    [
        ("week", [date(2026, 1, 28), date(2026, 2, 2), date(2026, 2, 9)]),
        ("month", [date(2026, 1, 28), date(2026, 2, 1)]),
    ],
)
def test_steps_follow_the_calendar_and_are_cut_at_both_ends(step: Step, starts: list[date]) -> None:
    days = Days(date(2026, 1, 28), date(2026, 2, 11))
    cut = steps(days, step)
    assert [one.start for one in cut] == starts
    assert [one.end for one in cut] == [*starts[1:], days.end]


def test_every_day_is_a_step() -> None:
    cut = steps(Days(date(2026, 2, 27), date(2026, 3, 2)), "day")
    assert [one.start.day for one in cut] == [27, 28, 1]


def test_too_many_steps_are_refused_and_named() -> None:
    with pytest.raises(PeriodError, match="at most 400 steps") as refused:
        steps(Days(date(2025, 1, 1), date(2026, 12, 31)), "day")
    assert refused.value.field == "step"
