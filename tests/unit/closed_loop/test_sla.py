"""Clocks: due and warning in business time, pauses, and what settles them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from closed_loop.domain.calendar import WEEKDAYS, add_business_time, calendar
from closed_loop.domain.sla import (
    Pause,
    SlaPolicy,
    due,
    elapsed,
    is_overdue,
    merged,
    needs_warning,
    restart,
    schedule,
    settle,
    stand_still,
    start_clocks,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = calendar("UTC", {day: [("08:00", "18:00")] for day in WEEKDAYS[:5]}, [])
FOUR_HOURS = SlaPolicy(calendar="default", target_minutes={"acknowledge": 240}, warn_at=Decimal("0.75"))


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def test_a_clock_is_due_and_warns_in_business_time() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(17))
    assert (clock.due_at, clock.warn_at) == (at(11, day=1), at(10, day=1))


def test_a_policy_without_a_target_has_no_such_clock() -> None:
    assert [clock.kind for clock in start_clocks(FOUR_HOURS, OFFICE, at(9))] == ["acknowledge"]


def test_a_pause_pushes_the_deadline_by_its_business_time_only() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(9))
    resumed = schedule(stand_still(clock), OFFICE, [Pause(at(10), at(9, day=1))])
    assert resumed.due_at == at(12, day=1)
    assert resumed.cycle == clock.cycle + 1


def test_there_is_no_deadline_while_a_pause_lasts() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(9))
    paused = stand_still(clock)
    assert (paused.state, paused.due_at, paused.warn_at) == ("paused", None, None)
    assert due(OFFICE, at(9), timedelta(hours=4), [Pause(at(10))]) is None
    assert not is_overdue(paused, at(9, day=30))


def test_a_pause_after_the_deadline_does_not_move_it() -> None:
    assert due(OFFICE, at(9), timedelta(hours=1), [Pause(at(11))]) == at(10)


def test_overlapping_pauses_count_once() -> None:
    pauses = [Pause(at(12), at(14)), Pause(at(10), at(13)), Pause(at(15), at(16))]
    assert merged(pauses) == [Pause(at(10), at(14)), Pause(at(15), at(16))]
    assert elapsed(OFFICE, at(9), at(17), pauses) == timedelta(hours=3)


def test_a_pause_that_was_recorded_backwards_takes_nothing_away() -> None:
    assert elapsed(OFFICE, at(9), at(11), [Pause(at(10), at(9, 30))]) == timedelta(hours=2)


def test_a_promise_kept_in_time_is_met_and_one_kept_late_stays_breached() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(9))
    assert settle(clock, at(12, 59)).state == "met"
    assert settle(clock, at(13)).state == "breached"
    assert settle(settle(clock, at(12)), at(18)).settled_at == at(12)


def test_a_warning_is_wanted_once_and_not_for_a_settled_clock() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(9))
    assert not needs_warning(clock, at(11, 59))
    assert needs_warning(clock, at(12))
    assert not needs_warning(settle(clock, at(11)), at(12))


def test_a_restarted_clock_has_its_whole_target_again() -> None:
    (clock,) = start_clocks(FOUR_HOURS, OFFICE, at(9))
    again = restart(settle(clock, at(10)), OFFICE, at(14))
    assert (again.state, again.due_at, again.settled_at, again.cycle) == ("running", at(18), None, 2)


INSTANTS = st.integers(0, 5 * 1440).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
PAUSES = st.lists(st.tuples(INSTANTS, INSTANTS).map(lambda pair: Pause(min(pair), max(pair))), max_size=4)


@settings(max_examples=60, deadline=None)
@given(INSTANTS, st.integers(1, 1200), PAUSES)
def test_at_the_deadline_exactly_the_target_has_elapsed(
    start: datetime, minutes: int, pauses: list[Pause]
) -> None:
    target = timedelta(minutes=minutes)
    deadline = due(OFFICE, start, target, pauses)
    assert deadline is not None
    assert elapsed(OFFICE, start, deadline, pauses) == target
    assert elapsed(OFFICE, start, deadline - timedelta(minutes=1), pauses) < target
    assert deadline >= add_business_time(OFFICE, start, target)
