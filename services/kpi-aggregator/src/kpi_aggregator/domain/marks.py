"""Whose figures a response counts in, and with what weight."""

from collections import defaultdict
from typing import Literal, NamedTuple

from kpi_aggregator.domain.contribution import WHOLE, Contribution
from kpi_aggregator.domain.tree import Tree

ScopeType = Literal["employee", "org_unit", "organisation", "role", "cause", "segment", "touchpoint"]
View = Literal["all", "influenced"]

LONGEST_NAME = 256
EVERYONE = "all"  # the organisation's id
ONE_VIEW: frozenset[ScopeType] = frozenset({"segment", "touchpoint"})  # nobody's share: the view "all" only


class Scope(NamedTuple):
    """What a figure is about."""

    scope_type: ScopeType
    scope_id: str
    view: View


ORGANISATION_ALL = Scope("organisation", EVERYONE, "all")
ORGANISATION_INFLUENCED = Scope("organisation", EVERYONE, "influenced")


def segment_id(name: str, value: str) -> str:
    """The id of a segment scope."""
    return f"{name}:{value}"


def is_name(text: str) -> bool:
    """False for what a survey platform may send as a cause or a segment and nobody can ask for by name."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def marks(contribution: Contribution, tree: Tree) -> dict[Scope, int]:
    """Every scope the response counts in → its weight there in millionths, always > 0.

    View "all" weighs a response once, however many of a unit's people took part, at every level of the tree;
    view "influenced" weighs it with the shares of the ledger. The organisation's two views are the same.
    """
    weights: dict[Scope, int] = {ORGANISATION_ALL: WHOLE, ORGANISATION_INFLUENCED: WHOLE}
    weights.update(dict.fromkeys(_took_part(contribution, tree), WHOLE))
    weights.update(_shares(contribution, tree))
    weights.update(_causes(contribution))
    segments = (segment_id(*item) for item in contribution.segments.items())
    weights.update((Scope("segment", segment, "all"), WHOLE) for segment in segments if is_name(segment))
    if contribution.touchpoint is not None:
        weights[Scope("touchpoint", contribution.touchpoint, "all")] = WHOLE
    return weights


def _took_part(contribution: Contribution, tree: Tree) -> set[Scope]:
    excluded = {participant.employee for participant in contribution.participants if participant.excluded}
    touched = {contribution.interaction_unit}
    scopes: set[Scope] = set()
    for participant in contribution.participants:
        if participant.verified and participant.employee not in excluded:
            scopes.add(Scope("employee", participant.employee, "all"))
            scopes.add(Scope("role", participant.role, "all"))
            touched.add(participant.org_unit)
    touched.update(e.subject_id for e in contribution.entries if e.subject_type == "org_unit" and e.share > 0)
    for unit in touched:
        if unit is not None:
            scopes.update(Scope("org_unit", above, "all") for above in tree.line(unit))
    return scopes


def _shares(contribution: Contribution, tree: Tree) -> dict[Scope, int]:
    weights: defaultdict[Scope, int] = defaultdict(int)
    for entry in contribution.entries:
        if entry.share == 0 or entry.subject_type == "organisation":
            continue
        unit = entry.subject_id
        if entry.subject_type == "employee":
            weights[Scope("employee", entry.subject_id, "influenced")] += entry.share
            if entry.role is not None:
                weights[Scope("role", entry.role, "influenced")] += entry.share
            if entry.org_unit is None:
                continue
            unit = entry.org_unit
        for above in tree.line(unit):
            weights[Scope("org_unit", above, "influenced")] += entry.share
    return weights


def _causes(contribution: Contribution) -> dict[Scope, int]:
    leaves: defaultdict[str, set[str]] = defaultdict(set)
    for named in contribution.causes:
        leaf = named.level2 or named.level1
        leaves[named.level1].add(leaf)
        leaves[leaf].add(leaf)
    weights = {Scope("cause", cause, "all"): WHOLE for cause in leaves if is_name(cause)}
    for cause, below in leaves.items():
        share = sum(entry.share for entry in contribution.entries if entry.cause in below)
        if share > 0 and is_name(cause):
            weights[Scope("cause", cause, "influenced")] = share
    return weights
