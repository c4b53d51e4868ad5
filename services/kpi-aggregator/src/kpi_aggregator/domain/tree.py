"""The current tree of org units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tree:
    """Org unit → parent. A unit nobody described yet is a root; should parents form a ring, it is walked once."""

    parents: Mapping[str, str | None]
    _lines: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def line(self, unit: str) -> tuple[str, ...]:
        """The unit itself and everything above it, from the bottom up."""
        known = self._lines.get(unit)
        if known is not None:
            return known
        line = [unit]
        above = self.parents.get(unit)
        while above is not None and above not in line:
            line.append(above)
            above = self.parents.get(above)
        return self._lines.setdefault(unit, tuple(line))

    def subtree(self, units: Iterable[str]) -> frozenset[str]:
        """These units and everything below them."""
        tops = frozenset(units)
        return tops | {unit for unit in self.parents if not tops.isdisjoint(self.line(unit))}

    def moved(self, other: "Tree") -> frozenset[str]:
        """The units whose line upwards differs between the two trees."""
        return frozenset(
            u for u in {*self.parents, *other.parents} if set(self.line(u)) != set(other.line(u))
        )
