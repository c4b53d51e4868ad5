"""The tree of org units, given as each unit's parent."""

from collections.abc import Iterable, Mapping


def cycle_through(parents: Mapping[str, str | None], unit: str) -> list[str]:
    """The units on the way from `unit` up to itself again, or nothing when the way ends."""
    way = [unit]
    seen = {unit}
    while (parent := parents.get(way[-1])) is not None:
        if parent == unit:
            return way
        if parent in seen:  # a cycle further up, without this unit
            return []
        seen.add(parent)
        way.append(parent)
    return []


def subtree(parents: Mapping[str, str | None], roots: Iterable[str]) -> frozenset[str]:
    """These units and every unit below them."""
    children: dict[str, list[str]] = {}
    for unit, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(unit)
    found: set[str] = set()
    to_visit = list(roots)
    while to_visit:
        unit = to_visit.pop()
        if unit not in found:
            found.add(unit)
            to_visit.extend(children.get(unit, ()))
    return frozenset(found)
