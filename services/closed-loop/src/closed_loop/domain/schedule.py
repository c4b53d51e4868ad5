"""When the weekly digest goes out, and of which days it tells."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LATEST = timedelta(hours=24)
"""A digest that could not go out within a day of its time is left out: it can be read at any time."""

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`weekday` 0 is Monday; `hour` by the wall clock."""

    weekday: int
    hour: int


@dataclass(frozen=True, slots=True)
class Edition:
    """One week's digest: of the local days in [starts, ends), due at `due_at`."""

    period: str
    starts: date
    ends: date
    due_at: datetime


def edition_due(schedule: Schedule, zone: ZoneInfo, now: datetime) -> Edition | None:
    """The edition whose time has come and is not long past."""
    today = now.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - schedule.weekday) % 7)
    due_at = datetime.combine(day, time(schedule.hour), zone)
    if due_at > now or now - due_at >= LATEST:
        return None
    week = day.isocalendar()
    return Edition(f"{week.year}-W{week.week:02}", day - _WEEK, day, due_at)
