"""Published by closed-loop. Notes and other text stay there."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from fairloop.events.model import EventData

CaseStatus = Literal["new", "assigned", "acknowledged", "contacted", "resolved", "closed"]
ClockState = Literal["running", "paused", "met", "breached"]


class CaseClock(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One SLA clock. `due_at` is None while paused."""

    kind: Literal["acknowledge", "contact", "resolve"]
    state: ClockState
    due_at: datetime | None = None


class ClosedLoopCase(EventData, frozen=True, kw_only=True, gc=False):
    """The work that follows one alert about one response. `result`: what came of it, in a word of the track's playbook."""

    type: ClassVar[str] = "closedloop.case.v1"
    topic: ClassVar[str] = "closedloop.case.v1"

    case_id: UUID
    response_id: UUID
    alert_rule: str
    status: CaseStatus
    track: str
    owner: str
    owner_reason: str
    org_unit: str | None = None
    escalated: bool = False
    clocks: tuple[CaseClock, ...] = ()
    opened_at: datetime
    closed_at: datetime | None = None
    contacted_as_planned: bool | None = None
    result: str | None = None

    @property
    def key(self) -> str:
        return str(self.case_id)
