"""How often an expected behaviour was seen, month by month, with how sure that is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

import msgspec

from closed_loop.domain.shares import wilson

FEWEST_OBSERVATIONS = 5  # of a group, below which nothing is shown
FEWEST_PEOPLE = 3

READING = "Observations and outcome side by side. That both rise or fall together does not show that one made the other do so."


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One observation that counts: somebody showed a behaviour on a day, or did not."""

    employee: str
    behaviour: str
    on: date
    shown: bool


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Of `n` observations of `people`, `shown` showed the behaviour. Suppressed: too few, everything is None."""

    n: int | None
    people: int | None
    shown: int | None
    share: str | None
    ci95: tuple[str, str] | None
    suppressed: bool


HIDDEN = Share(n=None, people=None, shown=None, share=None, ci95=None, suppressed=True)


def share(observations: Iterable[Seen], *, of_group: bool) -> Share:
    """The share that showed it, with Wilson's interval; of a group only when it does not tell about one person."""
    held = list(observations)
    n, shown = len(held), sum(one.shown for one in held)
    people = len({one.employee for one in held})
    if of_group and (n < FEWEST_OBSERVATIONS or people < FEWEST_PEOPLE):
        return HIDDEN
    if n == 0:
        return Share(n=0, people=0, shown=0, share=None, ci95=None, suppressed=False)
    low, high = wilson(shown, n)
    return Share(
        n=n,
        people=people,
        shown=shown,
        share=_text(shown / n),
        ci95=(_text(low), _text(high)),
        suppressed=False,
    )


def months(start: date, end: date) -> Iterator[tuple[date, date]]:
    """The calendar months of [start, end), each as its part of these days."""
    first = start
    while first < end:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        yield first, min(following, end)
        first = following


def within(observations: Iterable[Seen], days: tuple[date, date]) -> Sequence[Seen]:
    return [one for one in observations if days[0] <= one.on < days[1]]


def _text(number: float | Fraction) -> str:
    return f"{float(number):.4f}"
