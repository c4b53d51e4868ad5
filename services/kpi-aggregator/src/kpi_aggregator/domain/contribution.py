"""What one response brings to the figures: its newest attributed state, complete enough to count it again."""

from datetime import date
from uuid import UUID

import msgspec

WHOLE = 1_000_000  # shares and weights are integer millionths


class NamedCause(msgspec.Struct, frozen=True):
    """A cause the customer chose; `level2` is None when only the first question was answered."""

    level1: str
    level2: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger; the shares of a response's entries sum to one whole.

    `org_unit` is the unit an employee's share counts under.
    """

    subject_type: str
    subject_id: str
    share: int
    reason: str
    role: str | None = None
    cause: str | None = None
    org_unit: str | None = None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took part, with the unit of the assignment they took part under.

    `excluded`: the response counts in none of this person's views.
    """

    employee: str
    role: str
    org_unit: str | None = None
    verified: bool = True
    excluded: bool = False


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One response as attributed, on the day it counts. `scores` holds the answered questions: {"nps": 9}."""

    response_id: UUID
    version: int
    day: date
    scores: dict[str, int]
    causes: tuple[NamedCause, ...] = ()
    entries: tuple[Entry, ...] = ()
    participants: tuple[Participant, ...] = ()
    interaction_unit: str | None = None
    touchpoint: str | None = None
    segments: dict[str, str] = {}


def units_of(contribution: Contribution) -> frozenset[str]:
    """Every org unit the response names directly: where a change of the tree can reach it."""
    named = {participant.org_unit for participant in contribution.participants}
    named.update(entry.org_unit for entry in contribution.entries)
    named.update(entry.subject_id for entry in contribution.entries if entry.subject_type == "org_unit")
    named.add(contribution.interaction_unit)
    return frozenset(unit for unit in named if unit is not None)
