"""The days a figure covers: half-open ranges from a rolling window, a calendar period or two dates."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

DEFAULT_WINDOW = "90d"
LONGEST_WINDOW = 3660  # days
_WINDOW = re.compile(r"([1-9]\d{0,3})d")
_PERIOD = re.compile(r"(\d{4})(?:Q([1-4])|-(0[1-9]|1[0-2]))?")


class PeriodError(ValueError):
    """A range that cannot be understood; `field` names the parameter at fault."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """[start, end): `end` is the first day that no longer counts."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)


def whole_months(days: Days) -> Days:
    """The whole calendar months inside, as the days they cover; none is an empty range at the start."""
    first = days.start if days.start.day == 1 else following_month(days.start)
    end = days.end.replace(day=1)
    return Days(first, end) if first < end else Days(days.start, days.start)


def following_month(day: date) -> date:
    """The first day of the month after."""
    try:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    except OverflowError:
        return date.max


def between(start: date, end: date) -> Days:
    """The days from `start` up to, without, `end`. PeriodError when there is none."""
    if end <= start:
        raise PeriodError("to", "must be after from (it is exclusive)")
    return Days(start, end)


def rolling(window: str, last: date) -> Days:
    """ "90d" ending with the day `last`."""
    found = _WINDOW.fullmatch(window)
    if found is None or int(found[1]) > LONGEST_WINDOW:
        raise PeriodError("window", f"a number of days such as 90d, at most {LONGEST_WINDOW}d")
    try:
        end = last + timedelta(days=1)
        return Days(end - timedelta(days=int(found[1])), end)
    except OverflowError as error:
        raise PeriodError("as_of", "too near the end of the calendar") from error


def calendar(period: str) -> Days:
    """A year 2026, a quarter 2026Q1 or a month 2026-03."""
    found = _PERIOD.fullmatch(period)
    if found is None or not 1 <= int(found[1]) < date.max.year:
        raise PeriodError("period", "a year 2026, a quarter 2026Q1 or a month 2026-03")
    year, quarter, month = int(found[1]), found[2], found[3]
    if quarter is not None:
        first, months = 3 * int(quarter) - 2, 3
    elif month is not None:
        first, months = int(month), 1
    else:
        first, months = 1, 12
    years, after = divmod(first - 1 + months, 12)
    return Days(date(year, first, 1), date(year + years, after + 1, 1))


def asked_days(
    *,
    window: str | None,
    period: str | None,
    start: date | None,
    end: date | None,
    as_of: date | None,
    today: date,
) -> Days:
    """The one range that is asked for; without any: 90 days up to today. PeriodError when they contradict."""
    if period is not None:
        if not (window is None and start is None and end is None and as_of is None):
            raise PeriodError("period", "stands alone: no window, from, to or as_of beside it")
        return calendar(period)
    if start is not None or end is not None:
        if window is not None or as_of is not None:
            raise PeriodError("from", "from and to stand alone: no window or as_of beside them")
        if start is None or end is None:
            raise PeriodError("to" if end is None else "from", "from and to belong together")
        return between(start, end)
    return rolling(window or DEFAULT_WINDOW, as_of or today)
