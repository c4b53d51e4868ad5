"""A case: the work that follows one alert about one response, the states it goes through and what may be done in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from closed_loop.domain.alerts import Route, Track
from closed_loop.domain.calendar import Calendar
from closed_loop.domain.routing import Circumstances
from closed_loop.domain.sla import Clock, Pause

Status = Literal["new", "assigned", "acknowledged", "contacted", "resolved", "closed"]
Verb = Literal[
    "acknowledge", "contact", "pause", "resume", "resolve", "close", "reopen", "reassign", "escalate", "note"
]

_NAMESPACE = UUID("7c0f5a4e-3b0e-5d9b-9d55-0f4c1f0b6a3e")
_VERBS: Mapping[Status, tuple[Verb, ...]] = {
    "new": ("acknowledge", "contact", "reassign", "note"),
    "assigned": ("acknowledge", "contact", "reassign", "note"),
    "acknowledged": ("contact", "resolve", "reassign", "note"),
    "contacted": ("contact", "resolve", "reassign", "note"),
    "resolved": ("close", "reopen", "note"),
    "closed": ("reopen", "note"),
}


class ScoresGiven(msgspec.Struct, frozen=True):
    """The scores of the newest revision."""

    nps: int | None = None
    csat: int | None = None
    ces: int | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state. `acted`: a person has done something, so nothing re-routes it. `oversight_named`: by the
    rule, not found in the directory. `contacted_as_planned`: by the rule's method, at least once; None before any contact
    and where no method is planned. `result`: one of the outcomes of the track's playbook. `touched_at`: the last change; it never runs backwards.
    """

    id: UUID
    version: int
    response_id: UUID
    alert_rule: str
    track: Track
    method: str | None = None
    route: Route | None = None
    status: Status
    owner: str
    owner_reason: str
    oversight_owner: str
    oversight_named: bool = False
    watchers: tuple[str, ...] = ()
    org_unit: str | None = None
    scores: ScoresGiven = ScoresGiven()
    causes: tuple[str, ...] = ()
    meets_rule: bool = True
    circumstances: Circumstances
    required_documentation: tuple[str, ...] = ()
    documentation: dict[str, str] = {}
    contacted_as_planned: bool | None = None
    result: str | None = None
    sla_policy: str
    sla_policy_version: int
    calendar: str
    calendar_version: int
    escalate_to: str | None = None
    escalated: bool = False
    escalated_to: str | None = None
    breached: bool = False
    acted: bool = False
    erased: bool = False
    closed_reason: str | None = None
    opened_at: datetime
    closed_at: datetime | None = None
    touched_at: datetime
    clocks: tuple[Clock, ...] = ()
    pauses: tuple[Pause, ...] = ()

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].until is None


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when and under which conditions. `superior`: to whom an escalation would go."""

    at: datetime
    by: str
    calendar: Calendar
    superior: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a case's history; `data` holds ids, states and times, never what somebody wrote."""

    at: datetime
    by: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote; blanked when the response is erased."""

    at: datetime
    by: str
    kind: str
    text: str
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody (or a unit) is to be told."""

    at: datetime
    to: str
    kind: Literal[
        "assigned",
        "fyi",
        "fyi_escalated",
        "fyi_resolved",
        "warning",
        "breach",
        "escalation",
        "unattended",
    ]
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The case afterwards, and what is to be kept of how it got there."""

    case: Case
    history: tuple[Happened, ...] = ()
    notes: tuple[Note, ...] = ()
    notices: tuple[Notice, ...] = ()

    def then(
        self,
        case: Case,
        *,
        history: Sequence[Happened] = (),
        notes: Sequence[Note] = (),
        notices: Sequence[Notice] = (),
    ) -> "Change":
        """This change followed by another."""
        return with_fields(
            self,
            case=case,
            history=(*self.history, *history),
            notes=(*self.notes, *notes),
            notices=(*self.notices, *notices),
        )


class NotAllowedError(Exception):
    """The verb does not go with the state the case is in; `allowed` are the ones that do."""

    def __init__(self, verb: Verb, case: Case) -> None:
        self.verb = verb
        self.allowed = allowed(case)
        state = f"{case.status}, its response erased" if case.erased else case.status
        state += " and paused" if case.paused else ""
        names = ", ".join(self.allowed) or "nothing"
        super().__init__(f"A case that is {state} does not allow {verb}; it allows: {names}.")


def case_id(response_id: UUID, alert_rule: str) -> UUID:
    """One case for each response and rule, whatever is delivered again or re-rated."""
    return uuid5(_NAMESPACE, f"{response_id}/{alert_rule}")


def is_open(case: Case) -> bool:
    """True until it is resolved or closed."""
    return case.status not in {"resolved", "closed"}


def allowed(case: Case) -> tuple[Verb, ...]:
    """What may be done now; nothing once the response is erased."""
    if case.erased:
        return ()
    verbs = list(_VERBS[case.status])
    if is_open(case):
        verbs.append("resume" if case.paused else "pause")
        if not case.escalated:
            verbs.append("escalate")
    return tuple(verbs)


def require(case: Case, verb: Verb) -> None:
    """Raises NotAllowedError."""
    if verb not in allowed(case):
        raise NotAllowedError(verb, case)
