"""An event log in memory that promises only what the real one does: the events of one key come in their order.

Between keys there is no order, so none between partitions and topics either; and everything may come again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fairloop.events import EventData


@dataclass
class MemoryLog:
    """topic → key → its events. `taken`: (consumer, topic) → how many events of each key the consumer has had."""

    events: defaultdict[str, dict[str, list[EventData]]] = field(default_factory=lambda: defaultdict(dict))
    taken: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def append(self, events: Iterable[EventData]) -> None:
        for event in events:
            self.events[event.topic].setdefault(event.key, []).append(event)

    def append_new(self, events: Sequence[EventData]) -> None:
        """Append new states: each must be the next version of its key."""
        for event in events:
            held = self.events[event.topic].get(event.key, [])
            newest = max((one.version for one in held), default=0)
            assert event.version == newest + 1, f"after version {newest} came {event}"
            self.append([event])

    def waiting(self, consumer: str, topic: str) -> list[str]:
        """The keys with events that the consumer has not had."""
        taken = self.taken[consumer, topic]
        return sorted(key for key, events in self.events[topic].items() if taken[key] < len(events))

    def take(self, consumer: str, topic: str, key: str) -> EventData:
        """The key's next event."""
        taken = self.taken[consumer, topic]
        taken[key] += 1
        return self.events[topic][key][taken[key] - 1]

    def take_one(self, consumer: str, topic: str, pick: int) -> EventData:
        """The next event of one of the waiting keys."""
        keys = self.waiting(consumer, topic)
        return self.take(consumer, topic, keys[pick % len(keys)])

    def had(self, consumer: str, topic: str) -> list[EventData]:
        """Everything the consumer has had, a key at a time."""
        taken = self.taken[consumer, topic]
        return [event for key in sorted(taken) for event in self.events[topic][key][: taken[key]]]
