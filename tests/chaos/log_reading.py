"""The log as anybody could read it: every record of every topic, without the services' own decoding."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.fault.checks import read_all

from fairloop.log import open_log
from fairloop.log.port import Record, TopicPartition
from fairloop.wire import pseq_of

PRODUCED = {
    "survey.response.v1": ("survey-intake", 4),
    "survey.invitation.v1": ("survey-intake", 4),
    "directory.v1": ("attribution", 1),
    "attribution.interaction.v1": ("attribution", 4),
    "attribution.result.v1": ("attribution", 4),
    "kpi.snapshot.v1": ("kpi-aggregator", 1),
    "kpi.shift.v1": ("kpi-aggregator", 1),
    "closedloop.case.v1": ("closed-loop", 2),
    "bonus.run.v1": ("bonus", 1),
}
"""Topic → (who writes it, partitions)."""
CONSUMED = {
    "attribution": ("survey.response.v1",),
    "kpi-aggregator": (
        "survey.invitation.v1",
        "attribution.interaction.v1",
        "attribution.result.v1",
        "directory.v1",
    ),
    "closed-loop": ("attribution.result.v1", "directory.v1", "kpi.shift.v1"),
    "bonus": ("directory.v1", "kpi.snapshot.v1"),
}
"""Service → the topics it reads."""
PARTITIONS = [TopicPartition(topic, part) for topic, (_, count) in PRODUCED.items() for part in range(count)]


@dataclass(frozen=True)
class Event:
    """The first record of one number."""

    type: str
    key: str
    data: dict[str, Any]


async def read_log(url: str) -> dict[TopicPartition, list[Record]]:
    """Every partition in log order, repeats included."""
    async with open_log(url) as log:
        return {partition: await read_all(log, partition) for partition in PARTITIONS}


def events_of(records: Iterable[Record]) -> list[Event]:
    """Without a relay's repeats, in log order."""
    first: dict[int | None, Record] = {}
    for record in records:
        first.setdefault(pseq_of(record), record)
    return [
        Event(dict(record.headers)["ce_type"].decode(), record.key.decode(), json.loads(record.value))
        for record in first.values()
    ]
