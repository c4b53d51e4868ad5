"""Business time: which stretches of UTC time are working time, and arithmetic over them.

A calendar is open while a wall clock in its zone shows a time inside one of the day's windows and the date is
no holiday. Where the zone's offset changes, time is taken in pieces of constant offset, so an hour that the
wall clock skips is never counted and an hour that it shows twice is counted twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=3660)
"""No deadline is further away than this, however seldom the calendar opens."""

_DAY = timedelta(days=1)
_ZERO = timedelta(0)


class BadCalendarError(ValueError):
    """The windows of a day are empty, overlap or are out of order."""


@dataclass(frozen=True, slots=True)
class Window:
    """Open in [opens, closes), minutes after local midnight, 0 … 1440."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekly` has the windows of Monday to Sunday, in order; no window crosses midnight."""

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()


def calendar(timezone: str, weekly: Mapping[str, list[tuple[str, str]]], holidays: list[date]) -> Calendar:
    """From `{"mon": [["09:00", "12:30"], ["13:00", "24:00"]]}`. Raises BadCalendarError.

    The zone must be known to the machine (ZoneInfoNotFoundError otherwise).
    """
    ZoneInfo(timezone)
    days = tuple(_windows(day, weekly.get(day, [])) for day in WEEKDAYS)
    if not any(days):
        raise BadCalendarError("a calendar is open at least once a week")
    return Calendar(timezone, days, frozenset(holidays))


def business_time(open_hours: Calendar, start: datetime, end: datetime) -> timedelta:
    """B(start, end): how much of [start, end) is working time; zero when `end` is not after `start`."""
    return sum((closes - opens for opens, closes in _stretches(open_hours, start, end)), _ZERO)


def next_open(open_hours: Calendar, at: datetime) -> datetime:
    """`at` itself while the calendar is open, else when it opens next, in UTC; at most HORIZON later."""
    opens = next((opens for opens, _ in _stretches(open_hours, at, at + HORIZON)), at + HORIZON)
    return opens.astimezone(UTC)


def add_business_time(open_hours: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest t with B(start, t) = amount, in UTC; at most HORIZON after `start`."""
    left = amount
    if left <= _ZERO:
        return start.astimezone(UTC)
    for opens, closes in _stretches(open_hours, start, start + HORIZON):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return start.astimezone(UTC) + HORIZON


def _windows(day: str, given: list[tuple[str, str]]) -> tuple[Window, ...]:
    windows = tuple(Window(_minutes(opens), _minutes(closes)) for opens, closes in given)
    previous = 0
    for window in windows:
        if not previous <= window.opens < window.closes:
            raise BadCalendarError(f"the windows of {day} are empty, overlap or are out of order")
        previous = window.closes
    return windows


def _minutes(text: str) -> int:
    if text == "24:00":
        return 1440
    try:
        parsed = time.fromisoformat(text)
    except ValueError as error:
        raise BadCalendarError(f"{text!r} is not a time of day like 09:00") from error
    if len(text) != len("09:00"):
        raise BadCalendarError(f"{text!r} is not a time of day like 09:00")
    return parsed.hour * 60 + parsed.minute


def _stretches(open_hours: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open stretches inside [start, end), ascending, in UTC."""
    for begin, until, offset in _constant_offsets(ZoneInfo(open_hours.timezone), start, end):
        day = (begin + offset).date()
        last = (until + offset).date()
        while day <= last:
            if day not in open_hours.holidays:
                midnight = datetime.combine(day, time(), UTC) - offset
                for window in open_hours.weekly[day.weekday()]:
                    opens = max(midnight + timedelta(minutes=window.opens), begin)
                    closes = min(midnight + timedelta(minutes=window.closes), until)
                    if opens < closes:
                        yield opens, closes
            day += _DAY


def _constant_offsets(
    zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """[start, end) cut into pieces of at most a day in which the zone's UTC offset does not change."""
    begin, end = start.astimezone(UTC), end.astimezone(UTC)
    while begin < end:
        until = min(begin + _DAY, end)
        offset = _offset(zone, begin)
        if _offset(zone, until) != offset:
            until = min(until, _transition(zone, begin, until))
        yield begin, until, offset
        begin = until


def _transition(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole second in (before, after] with another offset than `before` has."""
    offset = _offset(zone, before)
    low = int(before.timestamp())
    high = int(after.timestamp()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "an aware time has an offset"
    return offset
