"""What people do to a case. Each command raises NotAllowedError when it does not go with the state the case is in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from closed_loop.domain.case import Act, Case, Change, Happened, Note, Notice, Verb, require
from closed_loop.domain.deadlines import escalated, expire
from closed_loop.domain.routing import is_unit
from closed_loop.domain.sla import Clock, ClockKind, Pause, restart, schedule, settle, stand_still


class UnknownResultError(Exception):
    """What came of a case is one of the outcomes that the playbook of its track names; `outcomes` are these."""

    def __init__(self, result: str, case: Case, outcomes: Sequence[str]) -> None:
        self.outcomes = outcomes
        names = ", ".join(outcomes)
        super().__init__(f"{result} is no outcome for a {case.track}; the playbook names: {names}.")


class MissingDocumentationError(Exception):
    """A case cannot be resolved without what its rule wants written down; `fields` are the empty ones."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(f"Required before this case can be resolved: {', '.join(fields)}.")


def acknowledge(case: Case, act: Act) -> Change:
    """The owner has seen it."""
    change = _begin(case, "acknowledge", act)
    return _done(change, act, "acknowledged", ("acknowledge",), status="acknowledged")


def contact(case: Case, act: Act, *, method: str, note: str | None = None) -> Change:
    """The customer was spoken to; whoever does so has acknowledged it too. Another method than planned is a deviation
    that the case shows until a contact by the planned one."""
    change = _begin(case, "contact", act)
    planned = None if case.method is None else method.casefold() == case.method.casefold()
    change = _done(
        change,
        act,
        "contacted",
        ("acknowledge", "contact"),
        data={} if planned is None else {"as_planned": planned},
        status="contacted",
        contacted_as_planned=case.contacted_as_planned or planned,
    )
    written = Note(act.at, act.by, "contact", note or "", method)
    return change.then(change.case, notes=[written])


def pause(case: Case, act: Act, *, reason: str) -> Change:
    """The clocks stand still."""
    change = _begin(case, "pause", act)
    paused = replace(
        change.case,
        pauses=(*change.case.pauses, Pause(act.at)),
        clocks=tuple(stand_still(clock) for clock in change.case.clocks),
    )
    return change.then(
        paused,
        history=[Happened(act.at, act.by, "paused", {})],
        notes=[Note(act.at, act.by, "pause", reason)],
    )


def resume(case: Case, act: Act) -> Change:
    """The clocks go on with what was left of them."""
    change = _begin(case, "resume", act)
    pauses = _ended(change.case.pauses, act.at)
    clocks = tuple(
        schedule(clock, act.calendar, pauses) if clock.state == "paused" else clock
        for clock in change.case.clocks
    )
    return change.then(
        replace(change.case, pauses=pauses, clocks=clocks),
        history=[Happened(act.at, act.by, "resumed", {})],
    )


def resolve(
    case: Case,
    act: Act,
    *,
    documentation: Mapping[str, str],
    result: str | None = None,
    outcomes: Mapping[str, Sequence[str]] | None = None,
) -> Change:
    """The matter is settled, and what was found, promised and reached is written down. `outcomes`: by track.

    Raises MissingDocumentationError, UnknownResultError.
    """
    change = _begin(case, "resolve", act)
    written = {**documentation, "result": result or ""}
    missing = tuple(field for field in case.required_documentation if not written.get(field, "").strip())
    if missing:
        raise MissingDocumentationError(missing)
    known = (outcomes or {}).get(case.track, ())
    if result is not None and result not in known:
        raise UnknownResultError(result, case, known)
    change = _done(change, act, "resolved", ("acknowledge", "contact", "resolve"), status="resolved")
    return change.then(
        replace(
            change.case,
            documentation=dict(documentation),
            result=result,
            pauses=_ended(change.case.pauses, act.at) if change.case.paused else change.case.pauses,
        ),
        notices=[Notice(act.at, who, "fyi_resolved") for who in case.watchers],
    )


def close(case: Case, act: Act) -> Change:
    """Nothing is left to do."""
    change = _begin(case, "close", act)
    return change.then(
        replace(change.case, status="closed", closed_at=act.at, closed_reason="resolved"),
        history=[Happened(act.at, act.by, "closed", {"reason": "resolved"})],
    )


def reopen(case: Case, act: Act) -> Change:
    """It was not settled after all: contact and resolution are promised again, from now."""
    change = _begin(case, "reopen", act)
    clocks = tuple(
        clock if clock.kind == "acknowledge" else restart(clock, act.calendar, act.at)
        for clock in change.case.clocks
    )
    return change.then(
        replace(
            change.case, status="acknowledged", clocks=clocks, closed_at=None, closed_reason=None, result=None
        ),
        history=[Happened(act.at, act.by, "reopened", {})],
    )


def reassign(case: Case, act: Act, *, owner: str) -> Change:
    """Somebody else's from now on."""
    change = _begin(case, "reassign", act)
    status = change.case.status
    if status in {"new", "assigned"}:
        status = "new" if is_unit(owner) else "assigned"
    return change.then(
        replace(change.case, owner=owner, owner_reason=f"reassigned by {act.by}", status=status),
        history=[Happened(act.at, act.by, "reassigned", {"from": case.owner, "to": owner})],
        notices=[Notice(act.at, owner, "assigned")],
    )


def escalate(case: Case, act: Act) -> Change:
    """Told to the superior by hand. When it was overdue, that escalation has just happened and is enough."""
    change = _begin(case, "escalate", act)
    return change if change.case.escalated else escalated(change, act)


def add_note(case: Case, act: Act, *, text: str) -> Change:
    """Something to remember."""
    change = _begin(case, "note", act)
    return change.then(change.case, notes=[Note(act.at, act.by, "note", text)])


def _begin(case: Case, verb: Verb, act: Act) -> Change:
    require(case, verb)
    change = expire(case, act)
    return change.then(replace(change.case, acted=True, touched_at=act.at))


def _done(
    change: Change,
    act: Act,
    kind: str,
    kept: tuple[ClockKind, ...],
    *,
    data: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Change:
    """The promises kept by this are settled; a later step keeps the earlier ones too."""
    clocks: tuple[Clock, ...] = tuple(
        settle(clock, act.at) if clock.kind in kept else clock for clock in change.case.clocks
    )
    return change.then(
        replace(change.case, clocks=clocks, **fields), history=[Happened(act.at, act.by, kind, data or {})]
    )


def _ended(pauses: tuple[Pause, ...], at: datetime) -> tuple[Pause, ...]:
    return (*pauses[:-1], Pause(pauses[-1].since, at))
