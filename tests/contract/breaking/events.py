"""What breaks for producers and consumers when events and topics change.

Old events stay on the log and old consumers run beside new ones, so a type may only gain optional fields. Anything
else is a new `vN` beside the old.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.contract.breaking.schemas import Breaking, Comparison, Promise, Schema, breaks

Json = Mapping[str, Any]


def broken_types(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[Breaking]:
    """By event type: its JSON Schema before and now."""
    return [breaking for name in old for breaking in dict.fromkeys(_type(name, old[name], new.get(name)))]


def _type(name: str, old: Schema, new: Schema | None) -> Iterator[Breaking]:
    if new is None:
        yield Breaking(name, "is removed")
        return
    for promise in (Promise.TAKEN, Promise.GIVEN_EXACTLY):
        yield from breaks(old, new, Comparison(old, new, promise, name))


def broken_topics(old: Json, new: Json) -> list[Breaking]:
    """Two AsyncAPI documents: their topics, who sends to them, and what they carry."""
    return list(_topics(old, new))


def _topics(old: Json, new: Json) -> Iterator[Breaking]:
    sending, sending_now = _senders(old), _senders(new)
    for name, was in old["channels"].items():
        is_now = new["channels"].get(name)
        if is_now is None:
            yield Breaking(name, "is removed")
            continue
        partitions, now = _partitions(was), _partitions(is_now)
        if partitions != now:
            yield Breaking(name, f"had {partitions} partitions, has {now}: keys would change theirs")
        for message in was["messages"]:
            if message not in is_now["messages"]:
                yield Breaking(name, f"no longer carries {message}")
        if sending.get(name) != sending_now.get(name):
            yield Breaking(name, f"was sent by {sending.get(name)}, is sent by {sending_now.get(name)}")


def _partitions(channel: Json) -> int:
    partitions: int = channel["bindings"]["kafka"]["partitions"]
    return partitions


def _senders(document: Json) -> dict[str, str]:
    """Topic → the service that sends to it."""
    return {
        operation["channel"]["$ref"].removeprefix("#/channels/"): operation["tags"][0]["name"]
        for operation in document["operations"].values()
        if operation["action"] == "send"
    }
