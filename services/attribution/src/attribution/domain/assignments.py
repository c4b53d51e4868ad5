"""Who worked where as what, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Assignment:
    """`employee` works as `role` in `org_unit` in [valid_from, valid_to)."""

    id: str
    employee: str
    role: str
    org_unit: str
    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def collides(self, other: "Assignment") -> bool:
        """Whether both say, for some day, where the same person works in the same role.

        Two roles at once are common, one role in two places is a transfer whose first half was not ended: the
        person's work would count for either unit by chance.
        """
        return (
            self.id != other.id
            and (self.employee, self.role) == (other.employee, other.role)
            and (other.valid_to is None or self.valid_from < other.valid_to)
            and (self.valid_to is None or other.valid_from < self.valid_to)
        )


def unit_on(assignments: Iterable[Assignment], role: str, day: date) -> str | None:
    """The unit that one person's work on `day` counts under; None when they had no assignment then.

    Of several assignments the one with the role they took part in; else, or when that leaves several, the one
    that began last, then the smaller id.
    """
    current = [a for a in assignments if a.covers(day)]
    best = min(current, key=lambda a: (a.role != role, -a.valid_from.toordinal(), a.id), default=None)
    return best.org_unit if best else None
