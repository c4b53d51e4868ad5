"""Who owns a case, and why. Never nobody: where no person is found the unit itself is the owner.

The unit is that of the interaction, unless another unit owns the causes: when a single unit's entry holds more of
the answer than anybody else, the case is that unit's to solve, and goes there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec

from closed_loop.domain.alerts import Route
from closed_loop.domain.calendar import Calendar, next_open

WHOLE_ORGANISATION = "all"
"""The unit of a case as long as the directory has no top unit."""
USUAL_HOURS = "default"
"""The calendar of whoever has none."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a response says about where its case belongs. `participants`: the largest share first."""

    survey_type: str
    customer: str | None = None
    unit: str | None = None
    owning_unit: str | None = None
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """An employee as far as routing goes."""

    manager: str | None = None
    active: bool = True
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody works in a unit in [valid_from, valid_to)."""

    employee: str
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What is known of the organisation now. `parents`: unit → the unit above it; `load`: open cases a person has;
    `hours`: calendars by id."""

    parents: Mapping[str, str | None] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    posts: Mapping[str, tuple[Post, ...]] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    load: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, Calendar] = field(default_factory=dict)

    def is_active(self, employee: str | None) -> bool:
        """False for nobody and for somebody not known (yet)."""
        person = self.people.get(employee) if employee is not None else None
        return person is not None and person.active

    def works_from(self, employee: str, now: datetime) -> datetime:
        """When somebody works next; `now` while they do, or when their hours are not known."""
        person = self.people.get(employee, Person())
        hours = self.hours.get(person.calendar or USUAL_HOURS)
        return now if hours is None else next_open(hours, now)

    def staff(self, unit: str, day: date) -> list[str]:
        """Active employees with a post in the unit on that day, by id."""
        return sorted(
            {
                post.employee
                for post in self.posts.get(unit, ())
                if post.valid_from <= day
                and (post.valid_to is None or day < post.valid_to)
                and self.is_active(post.employee)
            }
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """`owner` is an employee's id or `org_unit:<id>`."""

    owner: str
    reason: str
    org_unit: str | None


def is_unit(owner: str) -> bool:
    """True when nobody in person owns the case yet."""
    return owner.startswith("org_unit:")


def owning_unit(shares: Iterable[tuple[str, str, int]]) -> str | None:
    """The unit that holds more of the answer than any other subject does; a tie is nobody's.

    `shares`: subject type, subject id and share of each entry of the ledger.
    """
    totals: dict[tuple[str, str], int] = {}
    for subject_type, subject_id, share in shares:
        totals[subject_type, subject_id] = totals.get((subject_type, subject_id), 0) + share
    largest = max(totals.values(), default=0)
    holders = [subject for subject, total in totals.items() if total == largest and total > 0]
    if len(holders) != 1 or holders[0][0] != "org_unit":
        return None
    return holders[0][1]


def top_unit(parents: Mapping[str, str | None]) -> str | None:
    """The unit without a parent; of several the first by id."""
    return min((unit for unit, parent in parents.items() if parent is None), default=None)


def chain(parents: Mapping[str, str | None], unit: str) -> list[str]:
    """The unit and those above it, upwards; a circle ends where it closes."""
    units = [unit]
    above = parents.get(unit)
    while above is not None and above not in units:
        units.append(above)
        above = parents.get(above)
    return units


def subtree(parents: Mapping[str, str | None], roots: Iterable[str]) -> set[str]:
    """The roots and everything below them."""
    wanted = set(roots)
    return wanted | {unit for unit in parents if not wanted.isdisjoint(chain(parents, unit))}


def route_case(
    circumstances: Circumstances,
    directory: Directory,
    day: date,
    *,
    now: datetime,
    route: Route | None = None,
    current: str | None = None,
) -> Destination:
    """The owner of a case opened on `day` (local date); posts count as they were on that day.

    The answer depends on what is known, not on the order in which it became known, but for `dispatch`, where the
    `current` owner keeps the case while still eligible and else `now` tells who is at work.
    """
    unit = circumstances.owning_unit or circumstances.unit or top_unit(directory.parents)
    route = route or ("relationship" if circumstances.survey_type == "relationship" else "transactional")
    if route == "relationship":
        account_owner = directory.accounts.get(circumstances.customer or "")
        if account_owner is not None and directory.is_active(account_owner):
            return Destination(account_owner, "account owner of the customer", unit)
    if unit is not None and route == "dispatch":
        crew = directory.staff(unit, day)
        if crew:
            chosen = current if current in crew else _at_hand(crew, directory, now)
            return Destination(chosen, f"least loaded of those of {unit} who work first", unit)
    if circumstances.owning_unit is None:
        for participant in circumstances.participants:
            person = directory.people.get(participant)
            if person is not None and person.manager is not None and directory.is_active(person.manager):
                return Destination(person.manager, f"manager of {participant}, who took part", unit)
    return _of_unit(unit, directory, day, owns_cause=circumstances.owning_unit is not None)


def _at_hand(crew: Iterable[str], directory: Directory, now: datetime) -> str:
    """Whoever is at work, else works first; of these the one with the fewest open cases, then by id."""
    return min(crew, key=lambda who: (directory.works_from(who, now), directory.load.get(who, 0), who))


def oversight_of(directory: Directory, day: date) -> str:
    """Who watches over cases when the rule names nobody: the top unit's first active employee, else that unit."""
    return _of_unit(top_unit(directory.parents), directory, day).owner


def _of_unit(unit: str | None, directory: Directory, day: date, *, owns_cause: bool = False) -> Destination:
    if unit is None:
        return Destination(f"org_unit:{WHOLE_ORGANISATION}", "no unit is known yet", None)
    because = f"{unit} owns the cause: " if owns_cause else ""
    for level in chain(directory.parents, unit):
        staff = directory.staff(level, day)
        if staff:
            above = "" if level == unit else f", above {unit}"
            return Destination(staff[0], f"{because}first active employee of {level}{above}", unit)
    return Destination(f"org_unit:{unit}", f"{because}no active employee in {unit} or above", unit)
