"""Who may see which figure."""

from dataclasses import dataclass
from typing import Literal

from kpi_aggregator.domain.marks import ScopeType
from kpi_aggregator.domain.tree import Tree

Verdict = Literal["allowed", "forbidden", "hidden"]
FOR_EVERYBODY: frozenset[ScopeType] = frozenset({"organisation", "touchpoint"})
"""The whole, and where on the way customers are lost: nobody's own figure, and everybody's business."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What the caller's roles amount to.

    `everything`: all figures; `aggregates`: all but those of persons; `manages`: `units` and what lies below them,
    with their people; otherwise an employee: themselves, `units` and the organisation.
    """

    everything: bool
    aggregates: bool
    manages: bool
    employee_id: str | None
    units: frozenset[str]


def verdict(
    reader: Reader,
    scope_type: ScopeType,
    scope_id: str,
    *,
    tree: Tree,
    works_in: frozenset[str] = frozenset(),
) -> Verdict:
    """ "forbidden": not for this role at all; "hidden": somebody else's. `works_in`: the employee's units."""
    if reader.everything or scope_type in FOR_EVERYBODY:
        return "allowed"
    if scope_type == "employee":
        return _person(reader, scope_id, tree, works_in)
    if reader.aggregates:
        return "allowed"
    if scope_type == "org_unit":
        visible = tree.subtree(reader.units) if reader.manages else reader.units
        return "allowed" if scope_id in visible else "hidden"
    return "forbidden"


def _person(reader: Reader, employee: str, tree: Tree, works_in: frozenset[str]) -> Verdict:
    if reader.employee_id is not None and reader.employee_id == employee:
        return "allowed"
    if reader.manages and not works_in.isdisjoint(tree.subtree(reader.units)):
        return "allowed"
    return "hidden" if reader.manages or reader.employee_id is not None else "forbidden"
