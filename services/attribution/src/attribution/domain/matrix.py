"""How much a role can influence a cause, and which version of that judgement counts on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class InfluenceMatrix:
    """One version of a matrix: `influence[role, cause]` in millionths, in force from `valid_from` on."""

    id: str
    taxonomy: str
    valid_from: date
    influence: Mapping[tuple[str, str], int]

    def of(self, role: str, cause: str) -> int:
        """A missing cell is 0."""
        return self.influence.get((role, cause), 0)


def no_influence(role: str, cause: str) -> int:
    """What counts on a day before the first version."""
    return 0


def in_force(versions: Iterable[InfluenceMatrix], taxonomy: str, day: date) -> InfluenceMatrix | None:
    """The newest version for this taxonomy that had begun on `day`; two of one day: the larger matrix id."""
    begun = [m for m in versions if m.taxonomy == taxonomy and m.valid_from <= day]
    return max(begun, key=lambda m: (m.valid_from, m.id), default=None)
