"""When parking must stop because the fault is ours."""

import pytest

from fairloop.poison import Breaker, TooManyParkedError


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(ValueError("no"))


def test_nine_in_a_row_are_parked_and_the_tenth_halts() -> None:
    breaker = Breaker()
    fail(breaker, 9)
    with pytest.raises(TooManyParkedError, match="10 events in a row"):
        fail(breaker, 1)


def test_a_success_between_starts_the_row_anew() -> None:
    breaker = Breaker()
    fail(breaker, 9)
    breaker.applied(1)
    fail(breaker, 1)


def test_more_than_one_in_a_hundred_of_the_last_thousand_halts() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.applied(90)
        fail(breaker, 1)
    breaker.applied(1)
    with pytest.raises(TooManyParkedError, match="11 of the last"):
        fail(breaker, 1)


def test_old_failures_leave_the_window() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.applied(1)
        fail(breaker, 1)
    breaker.applied(1000)
    fail(breaker, 9)


def test_a_copy_counts_apart() -> None:
    breaker = Breaker()
    fail(breaker, 9)
    with pytest.raises(TooManyParkedError):
        fail(breaker.copy(), 1)
    breaker.applied(1)
    fail(breaker, 1)
