"""Events that cannot be applied: how they are told from trouble that passes, and when there are too many."""

from collections import deque
from typing import Any

from fairloop.events import EventData

TRIES = 5
"""An unknown error is tried this often, over about ten seconds, before its event is parked."""

_IN_A_ROW = 10
_WINDOW = 1000
_MOST_IN_WINDOW = 10  # 1 %


class Reject(Exception):  # noqa: N818 - handlers read: raise Reject("…", event)
    """This event can never be applied as it is. It is parked, and its key waits behind it."""

    def __init__(self, why: str, event: EventData | None = None) -> None:
        super().__init__(why)
        self.event = event


class TooManyParkedError(Exception):
    """The breaker of a partition opened: the fault is ours, not the events'."""


class Breaker:
    """Opens at ten failures in a row, or at more than one in a hundred of the last thousand."""

    def __init__(self) -> None:
        self._outcomes: deque[bool] = deque(maxlen=_WINDOW)
        self._in_a_row = 0

    def copy(self) -> "Breaker":
        """For counting a batch that may be rolled back."""
        other = Breaker()
        other._outcomes = self._outcomes.copy()
        other._in_a_row = self._in_a_row
        return other

    def applied(self, count: int) -> None:
        """So many events went well."""
        self._outcomes.extend([True] * min(count, _WINDOW))
        if count:
            self._in_a_row = 0

    def failed(self, why: Exception) -> None:
        """One event failed for good. Raises TooManyParkedError when that is one too many."""
        self._outcomes.append(False)
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            raise TooManyParkedError(f"{self._in_a_row} events in a row failed, the last one with: {why}")
        in_window = self._outcomes.count(False)
        if in_window > _MOST_IN_WINDOW:
            raise TooManyParkedError(
                f"{in_window} of the last {len(self._outcomes)} events failed, the last one with: {why}"
            )


def describe(error: BaseException) -> str:
    """One line about an error, without the statement and the parameters a database error carries."""
    cause: Any = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"[:500]
