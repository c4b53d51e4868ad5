"""When to try again, and when to give up."""

from datetime import datetime, timedelta
from typing import Literal

Verdict = Literal["delivered", "gone", "again"]

_WEBHOOK_PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600)
)
_MAIL_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))
MAIL_ATTEMPTS = len(_MAIL_PAUSES) + 1


def verdict(status: int) -> Verdict:
    """Only 2xx is delivered; a redirect is not followed. 410 means: never again."""
    if 200 <= status < 300:
        return "delivered"
    return "gone" if status == 410 else "again"


def webhook_pause(attempts: int) -> timedelta:
    """After so many attempts (1, 2 …); from the eighth on twelve hours."""
    return _WEBHOOK_PAUSES[min(attempts, len(_WEBHOOK_PAUSES)) - 1]


def is_given_up(queued_at: datetime, *, next_try_at: datetime, after: timedelta) -> bool:
    """True when the next attempt would come too late."""
    return next_try_at - queued_at > after


def mail_pause(attempts: int) -> timedelta | None:
    """None when the last attempt was made."""
    return _MAIL_PAUSES[attempts - 1] if attempts < MAIL_ATTEMPTS else None
