"""Narrowing responses to some segments."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kpi_aggregator.domain.marks import segment_id


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`required`: name → values, one of which a response must have; `excluded`: segments ("name:value") it must not."""

    required: Mapping[str, frozenset[str]] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, required: Iterable[str], excluded: Iterable[str]) -> "Narrowing":
        """From "name:value" each; several values of one name are alternatives."""
        by_name: dict[str, set[str]] = defaultdict(set)
        for segment in required:
            by_name[segment.partition(":")[0]].add(segment)
        return cls({name: frozenset(values) for name, values in by_name.items()}, frozenset(excluded))

    def holds(self, segments: Mapping[str, str]) -> bool:
        held = {segment_id(*item) for item in segments.items()}
        return all(held & values for values in self.required.values()) and not held & self.excluded
