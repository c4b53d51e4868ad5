"""What posting an interaction does to the one held under the same id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Outcome = Literal["accepted", "duplicate", "corrected"]
Scalar = str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class TookPart:
    """One person in one role. `verified` False: the source itself is not sure of this one."""

    employee: str
    role: str
    verified: bool = True


@dataclass(frozen=True, slots=True)
class PostedInteraction:
    """An interaction as its source tells it; `customer` is the keyed hash."""

    id: str
    occurred_at: datetime
    customer: str
    org_unit: str
    touchpoint: str
    participants: tuple[TookPart, ...] = ()
    attributes: Mapping[str, Scalar] = field(default_factory=dict)


def outcomes(posted: Sequence[PostedInteraction], held: Mapping[str, PostedInteraction]) -> list[Outcome]:
    """One outcome per posted item, in order; a later item of one id is compared with the earlier one."""
    newest = dict(held)
    results: list[Outcome] = []
    for item in posted:
        before = newest.get(item.id)
        newest[item.id] = item
        if before is None:
            results.append("accepted")
        else:
            results.append("duplicate" if before == item else "corrected")
    return results
