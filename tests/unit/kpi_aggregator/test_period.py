"""Which days a figure covers."""

from datetime import date
from typing import Any

import pytest

from kpi_aggregator.domain.period import Days, PeriodError, asked_days, whole_months

TODAY = date(2026, 3, 2)


def asked(
    window: str | None = None,
    period: str | None = None,
    start: date | None = None,
    end: date | None = None,
    as_of: date | None = None,
) -> Days:
    return asked_days(window=window, period=period, start=start, end=end, as_of=as_of, today=TODAY)


def test_without_any_question_it_is_90_days_up_to_and_with_today() -> None:
    assert asked() == Days(date(2025, 12, 3), date(2026, 3, 3))
    assert TODAY in asked()
    assert asked().last == TODAY


def test_a_window_ends_with_its_last_day() -> None:
    assert asked(window="1d", as_of=date(2026, 1, 31)) == Days(date(2026, 1, 31), date(2026, 2, 1))


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026Q1", date(2026, 1, 1), date(2026, 4, 1)),
        ("2026Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026-03", date(2026, 3, 1), date(2026, 4, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_a_calendar_period_is_half_open(period: str, start: date, end: date) -> None:
    assert asked(period=period) == Days(start, end)


def test_two_dates_are_half_open() -> None:
    days = asked(start=date(2026, 1, 1), end=date(2026, 2, 1))

    assert date(2026, 1, 1) in days
    assert date(2026, 2, 1) not in days


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"window": "0d"}, "window"),
        ({"window": "90"}, "window"),
        ({"window": "9999d"}, "window"),
        ({"period": "2026Q5"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "0000"}, "period"),
        ({"period": "9999"}, "period"),
        ({"period": "2026", "window": "90d"}, "period"),
        ({"start": date(2026, 1, 1)}, "to"),
        ({"end": date(2026, 1, 1)}, "from"),
        ({"start": date(2026, 1, 1), "end": date(2026, 1, 1)}, "to"),
        ({"start": date(2026, 1, 1), "end": date(2026, 2, 1), "as_of": TODAY}, "from"),
        ({"as_of": date.max}, "as_of"),
        ({"as_of": date.min}, "as_of"),
    ],
)
def test_a_question_that_makes_no_sense_names_the_field(question: dict[str, Any], field: str) -> None:
    with pytest.raises(PeriodError) as refused:
        asked(**question)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("days", "months"),
    [
        (("2026-01-01", "2026-04-01"), ("2026-01-01", "2026-04-01")),
        (("2025-12-02", "2026-03-31"), ("2026-01-01", "2026-03-01")),
        (("2026-01-02", "2026-02-28"), None),
        (("2026-01-01", "2026-01-31"), None),
        (("9999-12-02", "9999-12-31"), None),
    ],
)
def test_the_whole_months_inside_a_range(days: tuple[str, str], months: tuple[str, str] | None) -> None:
    asked_for = Days(*map(date.fromisoformat, days))
    expected = (
        Days(asked_for.start, asked_for.start) if months is None else Days(*map(date.fromisoformat, months))
    )
    assert whole_months(asked_for) == expected
