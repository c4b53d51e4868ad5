"""An event with the time it was published."""

from dataclasses import dataclass
from datetime import datetime

from fairloop.events import EventData


@dataclass(frozen=True, slots=True)
class Published:
    """One event as the log has it. `at`: when it was put into the outbox."""

    event: EventData
    at: datetime
