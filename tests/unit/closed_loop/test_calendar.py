"""Business time against a minute-by-minute count of the wall clock, and the customary examples."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_loop.domain.calendar import (
    HORIZON,
    WEEKDAYS,
    BadCalendarError,
    Calendar,
    add_business_time,
    business_time,
    calendar,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = WEEKDAYS[:5]


def office(opens: str, closes: str, *, zone: str = "UTC", holidays: tuple[date, ...] = ()) -> Calendar:
    return calendar(zone, {day: [(opens, closes)] for day in WORKDAYS}, list(holidays))


def around_the_clock(zone: str) -> Calendar:
    return calendar(zone, {day: [("00:00", "24:00")] for day in WEEKDAYS}, [])


def test_one_hour_from_friday_half_past_four_ends_on_monday_at_half_past_nine() -> None:
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert add_business_time(office("09:00", "17:00"), friday, HOUR) == datetime(
        2026, 3, 9, 9, 30, tzinfo=UTC
    )


def test_four_hours_from_monday_at_five_end_on_tuesday_at_eleven() -> None:
    monday = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert add_business_time(office("08:00", "18:00"), monday, 4 * HOUR) == datetime(
        2026, 3, 3, 11, tzinfo=UTC
    )


def test_eight_hours_across_the_spring_change_end_at_seven_on_the_wall_clock() -> None:
    start = datetime(2025, 3, 29, 22, 0, tzinfo=BERLIN)
    due = add_business_time(around_the_clock("Europe/Berlin"), start, 8 * HOUR)
    assert due == datetime(2025, 3, 30, 7, 0, tzinfo=BERLIN)


def test_four_hours_from_friday_at_four_end_on_monday_at_eleven() -> None:
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    assert add_business_time(office("08:00", "17:00"), friday, 4 * HOUR) == datetime(
        2026, 3, 9, 11, tzinfo=UTC
    )


def test_a_target_that_ends_with_the_day_is_due_then_and_not_the_next_morning() -> None:
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    assert add_business_time(office("09:00", "17:00"), friday, HOUR) == datetime(2026, 3, 6, 17, tzinfo=UTC)


def test_nothing_counts_on_a_holiday() -> None:
    closed_monday = office("09:00", "17:00", holidays=(date(2026, 3, 9),))
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert add_business_time(closed_monday, friday, HOUR) == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def test_nothing_counts_in_the_break_of_a_split_shift() -> None:
    split = calendar("UTC", {"mon": [("08:00", "12:00"), ("13:30", "17:00")]}, [])
    assert add_business_time(split, datetime(2026, 3, 2, 11, tzinfo=UTC), 2 * HOUR) == datetime(
        2026, 3, 2, 14, 30, tzinfo=UTC
    )


def test_an_hour_the_wall_clock_shows_twice_counts_twice() -> None:
    night = calendar("Europe/Berlin", {"sun": [("02:00", "03:00")]}, [])
    start = datetime(2025, 10, 26, 0, 0, tzinfo=BERLIN)
    assert business_time(night, start, start + timedelta(days=1)) == 2 * HOUR


def test_an_hour_the_wall_clock_skips_does_not_count() -> None:
    night = calendar("Europe/Berlin", {"sun": [("02:00", "03:00")]}, [])
    start = datetime(2025, 3, 30, 0, 0, tzinfo=BERLIN)
    assert business_time(night, start, start + timedelta(days=1)) == timedelta(0)


def test_a_calendar_that_hardly_ever_opens_still_gives_a_deadline() -> None:
    rare = calendar("UTC", {"mon": [("09:00", "09:01")]}, [])
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert add_business_time(rare, start, timedelta(days=30)) == start + HORIZON


@pytest.mark.parametrize(
    "windows",
    [
        [("17:00", "09:00")],
        [("09:00", "09:00")],
        [("09:00", "12:00"), ("11:00", "17:00")],
        [("13:00", "17:00"), ("09:00", "12:00")],
        [("9", "17:00")],
        [("09:00", "25:00")],
        [("09:00:30", "17:00")],
    ],
)
def test_windows_that_make_no_sense_are_refused(windows: list[tuple[str, str]]) -> None:
    with pytest.raises(BadCalendarError):
        calendar("UTC", {"mon": windows}, [])


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(BadCalendarError):
        calendar("UTC", {"mon": []}, [])


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])
SWITCHES = st.sampled_from(
    [
        datetime(2025, 3, 29, tzinfo=UTC),
        datetime(2025, 10, 25, tzinfo=UTC),
        datetime(2025, 3, 8, tzinfo=UTC),
        datetime(2025, 11, 1, tzinfo=UTC),
        datetime(2025, 4, 5, tzinfo=UTC),
        datetime(2025, 10, 4, tzinfo=UTC),
    ]
)
INSTANTS = st.builds(lambda day, minutes: day + minutes * MINUTE, SWITCHES, st.integers(0, 3 * 1440))

DURATIONS = st.integers(0, 5 * 1440).map(lambda minutes: minutes * MINUTE)


@st.composite
def windows(draw: st.DrawFn) -> list[tuple[str, str]]:
    edges = sorted(draw(st.sets(st.integers(0, 1440), min_size=0, max_size=4)))
    edges = edges[: len(edges) // 2 * 2]
    texts = [f"{edge // 60:02d}:{edge % 60:02d}" for edge in edges]
    return list(zip(texts[::2], texts[1::2], strict=True))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = {day: draw(windows()) for day in WEEKDAYS}
    weekly["wed"] = [("10:00", "11:00")]
    holidays = draw(st.lists(st.dates(date(2025, 3, 28), date(2025, 4, 2)), max_size=2))
    return calendar(draw(ZONES), weekly, holidays)


def counted(open_hours: Calendar, start: datetime, end: datetime) -> timedelta:
    """The minutes of [start, end) at which the wall clock shows an open time."""
    zone, total = ZoneInfo(open_hours.timezone), timedelta(0)
    while start < end:
        local = start.astimezone(zone)
        minute = local.hour * 60 + local.minute
        windows_of_day = open_hours.weekly[local.weekday()]
        if local.date() not in open_hours.holidays and any(
            w.opens <= minute < w.closes for w in windows_of_day
        ):
            total += MINUTE
        start += MINUTE
    return total


@settings(max_examples=60, deadline=None)
@given(calendars(), INSTANTS, st.integers(0, 2 * 1440))
def test_business_time_equals_a_count_of_minutes(open_hours: Calendar, start: datetime, minutes: int) -> None:
    end = start + minutes * MINUTE
    assert business_time(open_hours, start, end) == counted(open_hours, start, end)


@settings(max_examples=60, deadline=None)
@given(calendars(), INSTANTS, DURATIONS, DURATIONS)
def test_business_time_is_additive_and_monotone(
    open_hours: Calendar, a: datetime, first: timedelta, second: timedelta
) -> None:
    b, c = a + first, a + first + second
    whole = business_time(open_hours, a, c)
    assert whole == business_time(open_hours, a, b) + business_time(open_hours, b, c)
    assert whole >= business_time(open_hours, a, b) >= timedelta(0)


@settings(max_examples=60, deadline=None)
@given(calendars(), INSTANTS, st.integers(1, 180), st.integers(1, 180))
def test_adding_business_time_finds_the_earliest_moment_at_which_it_has_passed(
    open_hours: Calendar, start: datetime, first: int, more: int
) -> None:
    due = add_business_time(open_hours, start, first * MINUTE)
    assert business_time(open_hours, start, due) == first * MINUTE
    assert business_time(open_hours, start, due - MINUTE) < first * MINUTE
    assert add_business_time(open_hours, due, more * MINUTE) == add_business_time(
        open_hours, start, (first + more) * MINUTE
    )
