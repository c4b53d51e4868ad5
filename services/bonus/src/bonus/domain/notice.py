"""When a version of a plan counts: those it is about are told before, by as many days as they were promised."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple


class Published(NamedTuple):
    """A published version. It counts for periods that begin on `in_force_from` or later."""

    version: int
    text_hash: str
    notice_days: int
    published_on: date
    in_force_from: date


class Counting(NamedTuple):
    """The version a period is calculated with. Not `kept`: the period began before the notice was over."""

    version: Published
    kept: bool


class TooEarlyError(Exception):
    """A period would begin while the notice of the plan's first text is still running; `earliest`: when it may."""

    def __init__(self, first: Published) -> None:
        super().__init__(
            f"the plan was published on {first.published_on} and promises {first.notice_days} days' notice: a period "
            f"may begin on {first.in_force_from} at the earliest"
        )
        self.earliest = first.in_force_from


def in_force_from(today: date, notice_days: int, earlier: Sequence[Published]) -> date:
    """From when a version published today counts: the longest notice that it or any text still standing promises."""
    promised = [one.notice_days for one in standing(earlier, today)]
    return today + timedelta(days=max([notice_days, *promised]))


def standing(versions: Sequence[Published], today: date) -> Sequence[Published]:
    """The versions, oldest first, that are not superseded: the one in force and what was announced since.

    While none is in force yet, only the newest text of those first ones stands.
    """
    if not versions:
        return ()
    in_force = [place for place, one in enumerate(versions) if one.in_force_from <= today]
    return versions[in_force[-1] :] if in_force else versions[-1:]


def counting_for(versions: Sequence[Published], start: date) -> Counting | None:
    """Which of the published versions, oldest first, a period that begins on `start` is calculated with.

    The newest one in force on that day: a change that was announced too late waits for the next period. Where no text
    was in force yet, nobody can be given notice any more of days that lie before the first text; such a period is
    calculated with it and says so. Raises TooEarlyError between publication and the end of the notice. None: nothing
    was published.
    """
    if not versions:
        return None
    in_force = [one for one in versions if one.in_force_from <= start]
    if in_force:
        return Counting(in_force[-1], kept=True)
    first = _founding(versions)
    if start > first.published_on:
        raise TooEarlyError(first)
    return Counting(first, kept=False)


def _founding(versions: Sequence[Published]) -> Published:
    """The first text that came into force: one that is replaced while its notice still runs never counted."""
    founding = versions[0]
    for later in versions[1:]:
        if later.published_on >= founding.in_force_from:
            break
        founding = later
    return founding
