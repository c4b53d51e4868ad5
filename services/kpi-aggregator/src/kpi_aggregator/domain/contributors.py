"""Who else had a share in the answers about somebody: departments, by name."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec

from kpi_aggregator.domain.complement import hidden_parts
from kpi_aggregator.domain.contribution import Contribution, Entry
from kpi_aggregator.domain.figure import weight_text
from kpi_aggregator.domain.marks import Scope, marks
from kpi_aggregator.domain.tree import Tree

Part = Literal["self", "org_unit", "organisation", "others"]


class Contributor(msgspec.Struct, frozen=True, kw_only=True):
    """Whose shares of the answers these were. `part` of all of them, from 0 to 1; "others" are too few to be named.

    `n`: the answers with a share > 0, null for "others", whose answers may be the same.
    """

    kind: Part
    id: str | None
    n: int | None
    weight: str
    part: float


def contributors(
    contributions: Iterable[Contribution], kpi: str, employee: str, *, min_n: int
) -> list[Contributor]:
    """The largest first. Nothing where fewer than `min_n` answers are about the person.

    An answer is about whoever verifiably took part in what it is about.
    """
    about = Scope("employee", employee, "all")
    weights: defaultdict[tuple[Part, str | None], int] = defaultdict(int)
    answers: defaultdict[tuple[Part, str | None], int] = defaultdict(int)
    n = 0
    for contribution in contributions:
        if kpi not in contribution.scores or about not in marks(contribution, Tree({})):
            continue
        n += 1
        shares: defaultdict[tuple[Part, str | None], int] = defaultdict(int)
        for entry in contribution.entries:
            shares[_whose(entry, employee)] += entry.share
        for whose, share in shares.items():
            weights[whose] += share
            answers[whose] += share > 0
    if n < min_n:
        return []
    units = {id: answers[kind, id] for kind, id in answers if kind == "org_unit" and id is not None}
    hidden = hidden_parts(units, min_n=min_n)
    merged: defaultdict[tuple[Part, str | None], int] = defaultdict(int)
    for (kind, id), weight in weights.items():
        merged[("others", None) if kind == "org_unit" and id in hidden else (kind, id)] += weight
    whole = sum(merged.values())
    found = [
        Contributor(
            kind=kind,
            id=id,
            n=None if kind == "others" else answers[kind, id],
            weight=weight_text(weight),
            part=round(weight / whole, 4),
        )
        for (kind, id), weight in merged.items()
        if weight > 0
    ]
    return sorted(found, key=lambda one: (-one.part, one.kind, one.id or ""))


def _whose(entry: Entry, employee: str) -> tuple[Part, str | None]:
    """A colleague counts as the unit they took part for."""
    if entry.subject_type == "employee" and entry.subject_id == employee:
        return "self", employee
    unit = entry.org_unit if entry.subject_type == "employee" else entry.subject_id
    if entry.subject_type == "organisation" or unit is None:
        return "organisation", None
    return "org_unit", unit
