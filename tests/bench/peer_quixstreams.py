"""Counts per employee and day with quixstreams: `python peer_quixstreams.py BROKER EVENTS TOPIC`.

Its state is kept by the record's key, so the records of TOPIC have their partition for one: otherwise it would have to
write every event to a second topic first. RocksDB, changelog topic and commit interval are its defaults (at least
once). Prints the seconds from the first record to the last commit.
"""

import sys
import tempfile
import time
from datetime import date
from uuid import uuid4

import msgspec
from quixstreams import Application
from quixstreams.state import State


class Day(msgspec.Struct, gc=False):
    day: date


class Employee(msgspec.Struct, gc=False):
    employee: str


class Needed(msgspec.Struct, gc=False):
    response: Day
    participants: tuple[Employee, ...]


decode = msgspec.json.Decoder(Needed).decode
first: list[float] = []
counted = [0]


def count(value: bytes, state: State) -> None:
    if not first:
        first.append(time.perf_counter())
    result = decode(value)
    for participant in result.participants:
        key = f"{participant.employee}|{result.response.day}"
        state.set(key, state.get(key, 0) + 1)
        counted[0] += 1


def main(broker: str, events: int, topic: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=broker,
            consumer_group=f"quix-{uuid4()}",
            auto_offset_reset="earliest",
            state_dir=folder,
            loglevel="ERROR",
        )
        source = app.topic(topic, value_deserializer="bytes", key_deserializer="bytes")
        app.dataframe(source).update(count, stateful=True)
        app.run(count=events, collect=False)
    seconds = time.perf_counter() - first[0]
    assert counted[0] == 2 * events, "not everything was counted"
    print(seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
