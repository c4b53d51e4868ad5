"""Counts per employee and day with bytewax: `python peer_bytewax.py BROKER EVENTS TOPIC [recovery]`.

Decodes as little as our leanest loop and sums up each batch before it reaches the keyed state. With recovery it writes
snapshots and positions to its SQLite store at its default interval of 10 s. Prints the seconds from the first batch.
"""

import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from bytewax.testing import TestingSink


class Day(msgspec.Struct, gc=False):
    day: date


class Employee(msgspec.Struct, gc=False):
    employee: str


class Needed(msgspec.Struct, gc=False):
    response: Day
    participants: tuple[Employee, ...]


decode = msgspec.json.Decoder(Needed).decode
first: list[float] = []


def counted(messages: list[Any]) -> list[tuple[str, int]]:
    if not first:
        first.append(time.perf_counter())
    counts: dict[str, int] = {}
    for message in messages:
        result = decode(message.value)
        day = result.response.day
        for participant in result.participants:
            key = f"{participant.employee}|{day}"
            counts[key] = counts.get(key, 0) + 1
    return list(counts.items())


def main(broker: str, events: int, topic: str, *, recovery: bool) -> None:
    totals: list[tuple[str, int]] = []
    flow = Dataflow("counting")
    source = KafkaSource([broker], [topic], tail=False, batch_size=2000)
    messages = op.input("in", flow, source)
    parts = op.flat_map_batch("count", messages, counted)
    sums = op.stateful_map("sum", parts, lambda held, more: ((held or 0) + more, (held or 0) + more))
    op.output("out", sums, TestingSink(totals))
    with tempfile.TemporaryDirectory() as folder:
        store = None
        if recovery:
            init_db_dir(Path(folder), 1)
            store = RecoveryConfig(Path(folder))
        cli_main(flow, recovery_config=store)
    seconds = time.perf_counter() - first[0]
    assert sum(dict(totals).values()) == 2 * events, "not everything was counted"
    print(seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], recovery="recovery" in sys.argv[4:])
