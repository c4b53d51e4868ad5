"""Everything the end checks look at, gathered once when nothing moves any more."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.caller import Caller
from tests.chaos.fold import Response, responses_of
from tests.chaos.journal import Line, read
from tests.chaos.log_reading import Event, events_of, read_log
from tests.chaos.stand import Stand

from fairloop.log.port import Record, TopicPartition


@dataclass
class Evidence:
    """`log` as it stands; `events` without a relay's repeats; `responses` by our id."""

    stand: Stand
    caller: Caller
    start: datetime
    journal: list[Line]
    log: dict[TopicPartition, list[Record]]
    remarks: list[str]
    """What the run itself noticed on the way."""
    events: dict[TopicPartition, list[Event]] = field(init=False)
    responses: dict[str, Response] = field(init=False)

    def __post_init__(self) -> None:
        self.events = {partition: events_of(records) for partition, records in self.log.items()}
        self.responses = {response.id: response for response in responses_of(self.journal).values()}

    def topic(self, name: str) -> list[Event]:
        return [
            event
            for partition, events in sorted(self.events.items())
            if partition.topic == name
            for event in events
        ]


async def gather(stand: Stand, caller: Caller, *, start: datetime, remarks: list[str]) -> Evidence:
    journal = read(stand.folder / "journal.jsonl")
    return Evidence(stand, caller, start, journal, await read_log(stand.log_url), remarks)
