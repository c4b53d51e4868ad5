"""Where somebody worked within a period, by days."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

import msgspec


class Days(msgspec.Struct, gc=False, frozen=True, order=True, rename={"start": "from", "end": "to"}):
    """A range of days, the last one exclusive."""

    start: date
    end: date

    @property
    def count(self) -> int:
        return max(0, (self.end - self.start).days)

    def within(self, start: date | None, end: date | None) -> "Days":
        """The part in [start, end); None is open. May be empty."""
        return Days(max(self.start, start or self.start), min(self.end, end or self.end))


class Assigned(msgspec.Struct, gc=False, frozen=True, order=True):
    """One person's assignment, clipped to the days that matter."""

    days: Days
    org_unit: str
    role: str


@dataclass(frozen=True, slots=True)
class Tenure:
    """`employed`: days with at least one assignment; `units`: unit → its part of those days, summing to 1 (or empty).

    `role` is the one held the most days (equal: the first by name). `to_the_end`: still there on the last day.
    """

    employed: int
    units: dict[str, Fraction]
    role: str | None
    to_the_end: bool


def tenure(assignments: Iterable[Assigned], window: Days) -> Tenure:
    """What the assignments say about the days of `window`. A day in two units counts half for each."""
    held = [a for a in assignments if a.days.within(window.start, window.end).count]
    if len(held) == 1 and held[0].days.start <= window.start and held[0].days.end >= window.end:
        only = held[0]  # nearly everybody
        return Tenure(window.count, {only.org_unit: Fraction(1)}, only.role, to_the_end=True)
    cuts = sorted({window.start, window.end, *(cut for a in held for cut in _cuts(a, window))})
    employed = 0
    units: dict[str, Fraction] = defaultdict(Fraction)
    roles: dict[str, int] = defaultdict(int)
    for start, end in pairwise(cuts):
        now = [a for a in held if a.days.start <= start < a.days.end]
        days = (end - start).days
        here = {a.org_unit for a in now}
        employed += days if now else 0
        for unit in here:
            units[unit] += Fraction(days, len(here))
        for role in {a.role for a in now}:
            roles[role] += days
    return Tenure(
        employed=employed,
        units={unit: units[unit] / employed for unit in sorted(units)},
        role=min(roles, key=lambda role: (-roles[role], role)) if roles else None,
        to_the_end=any(a.days.end >= window.end for a in held),
    )


def _cuts(assigned: Assigned, window: Days) -> tuple[date, date]:
    inside = assigned.days.within(window.start, window.end)
    return inside.start, inside.end
