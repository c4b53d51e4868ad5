"""Pauses grow, and end."""

from datetime import UTC, datetime, timedelta

import pytest

from closed_loop.domain.retrying import MAIL_ATTEMPTS, is_given_up, mail_pause, verdict, webhook_pause

QUEUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "delivered"), (204, "delivered"), (301, "again"), (404, "again"), (410, "gone"), (500, "again")],
)
def test_only_2xx_is_delivered_and_only_410_is_for_good(status: int, expected: str) -> None:
    assert verdict(status) == expected


def test_webhook_pauses_grow_to_hours() -> None:
    pauses = [webhook_pause(attempts) for attempts in range(1, 20)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=5), timedelta(hours=12))


def test_a_webhook_is_given_up_when_the_next_attempt_would_come_after_the_days_allowed() -> None:
    days = timedelta(days=5)
    assert not is_given_up(QUEUED, next_try_at=QUEUED + days, after=days)
    assert is_given_up(QUEUED, next_try_at=QUEUED + days + timedelta(seconds=1), after=days)


def test_a_mail_is_tried_so_often_and_not_more() -> None:
    assert [mail_pause(attempts) is None for attempts in range(1, MAIL_ATTEMPTS + 1)] == [False] * 5 + [True]
