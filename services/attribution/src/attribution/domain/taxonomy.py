"""Causes in two levels, and which of them an answer names."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """A cause that can carry weight: one of level 2, or of level 1 without children."""

    id: str
    process_owner: str | None = None


@dataclass(frozen=True, slots=True)
class TopCause:
    """A cause of level 1; `process_owner` is an org unit's id."""

    id: str
    process_owner: str | None = None
    children: tuple[Leaf, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenCause:
    """What the respondent chose; level 2 is None when only the first question was answered."""

    level1: str
    level2: str | None = None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The causes a survey offers. The leaves' ids are unique, so a leaf is known by its id alone."""

    id: str
    causes: tuple[TopCause, ...] = ()

    def leaves(self) -> dict[str, Leaf]:
        """Every leaf by id."""
        return {leaf.id: leaf for cause in self.causes for leaf in _leaves_under(cause)}

    def ids(self) -> set[str]:
        """The ids of both levels."""
        return {cause.id for cause in self.causes} | set(self.leaves())

    def repeated_ids(self) -> list[str]:
        """Ids used twice within level 1 or among the leaves; a taxonomy with any is refused."""
        tops = Counter(cause.id for cause in self.causes)
        leaves = Counter(leaf.id for cause in self.causes for leaf in _leaves_under(cause))
        return sorted(id for id in tops | leaves if max(tops[id], leaves[id]) > 1)


def _leaves_under(cause: TopCause) -> tuple[Leaf, ...]:
    return cause.children or (Leaf(cause.id, cause.process_owner),)


def chosen_leaves(leaves: dict[str, Leaf], chosen: Iterable[ChosenCause]) -> tuple[Leaf, ...]:
    """The distinct leaves that the answers name, by id.

    Level 1 alone although it has children names no leaf, nor does an id the taxonomy does not have.
    """
    named = {leaf for cause in chosen for leaf in (_leaf_of(leaves, cause),) if leaf is not None}
    return tuple(sorted(named, key=lambda leaf: leaf.id))


def _leaf_of(leaves: dict[str, Leaf], cause: ChosenCause) -> Leaf | None:
    if cause.level2 is not None and cause.level2 in leaves:
        return leaves[cause.level2]
    return leaves.get(cause.level1)
