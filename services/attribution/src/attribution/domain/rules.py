"""The part of directory, taxonomies and matrices that decisions rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attribution.domain.assignments import Assignment
from attribution.domain.matrix import InfluenceMatrix
from attribution.domain.taxonomy import Leaf, Taxonomy


@dataclass(frozen=True, slots=True)
class Rules:
    """`leaves` per taxonomy, by id; `assignments` per employee."""

    leaves: Mapping[str, dict[str, Leaf]]
    matrices: Sequence[InfluenceMatrix]
    assignments: Mapping[str, Sequence[Assignment]]

    def taxonomy_for(self, wanted: str | None) -> str | None:
        """The one that was named, else the only one there is."""
        if wanted is not None:
            return wanted
        return next(iter(self.leaves)) if len(self.leaves) == 1 else None


def rules_of(
    taxonomies: Sequence[Taxonomy], matrices: Sequence[InfluenceMatrix], assignments: Sequence[Assignment]
) -> Rules:
    """Rules, arranged to be looked up."""
    by_employee: dict[str, list[Assignment]] = {}
    for assignment in assignments:
        by_employee.setdefault(assignment.employee, []).append(assignment)
    return Rules(
        leaves={taxonomy.id: taxonomy.leaves() for taxonomy in taxonomies},
        matrices=tuple(matrices),
        assignments=by_employee,
    )
