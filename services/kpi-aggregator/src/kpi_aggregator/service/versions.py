"""The newest of several versions."""

from collections.abc import Iterable
from typing import TypeVar

from fairloop.events import EventData

E = TypeVar("E", bound=EventData)


def newest(events: Iterable[E]) -> list[E]:
    """The highest version of each aggregate in a batch, ordered by key, so that rows are locked in one order."""
    by_key: dict[str, E] = {}
    for event in events:
        held = by_key.get(event.key)
        if held is None or held.version < event.version:
            by_key[event.key] = event
    return [by_key[key] for key in sorted(by_key)]
