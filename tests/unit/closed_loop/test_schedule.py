"""The weekly digest goes out at a wall-clock hour, and tells of the seven days before."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from closed_loop.domain.schedule import Edition, Schedule, edition_due

MONDAY_EIGHT = Schedule(weekday=0, hour=8)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_is_due_at_eight_in_amsterdam_winter_and_summer() -> None:
    assert edition_due(MONDAY_EIGHT, AMSTERDAM, at("2026-03-02T06:59:59")) is None
    winter = edition_due(MONDAY_EIGHT, AMSTERDAM, at("2026-03-02T07:00:00"))
    assert winter is not None
    assert (winter.period, winter.starts, winter.ends) == ("2026-W10", date(2026, 2, 23), date(2026, 3, 2))
    assert edition_due(MONDAY_EIGHT, AMSTERDAM, at("2026-03-30T05:59:59")) is None
    assert edition_due(MONDAY_EIGHT, AMSTERDAM, at("2026-03-30T06:00:00")) is not None


@pytest.mark.parametrize("hours", [0, 12, 23])
def test_within_a_day_it_is_the_same_edition(hours: int) -> None:
    found = edition_due(
        MONDAY_EIGHT, ZoneInfo("UTC"), datetime(2026, 3, 2 + (8 + hours) // 24, (8 + hours) % 24, tzinfo=UTC)
    )
    assert isinstance(found, Edition)
    assert found.period == "2026-W10"


def test_after_a_day_it_is_left_out() -> None:
    assert edition_due(MONDAY_EIGHT, ZoneInfo("UTC"), at("2026-03-03T08:00:00")) is None
    assert edition_due(MONDAY_EIGHT, ZoneInfo("UTC"), at("2026-03-08T12:00:00")) is None


def test_the_first_week_of_a_year_has_the_year_of_its_thursday() -> None:
    found = edition_due(MONDAY_EIGHT, ZoneInfo("UTC"), at("2024-12-30T09:00:00"))
    assert found is not None
    assert found.period == "2025-W01"
