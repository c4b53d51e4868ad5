"""What the passing of time does to a case: warnings, breaches and the one escalation."""

from msgspec.structs import replace

from closed_loop.domain.case import Act, Case, Change, Happened, Notice
from closed_loop.domain.sla import Clock, is_overdue, needs_warning


def tick(case: Case, act: Act) -> Change:
    """Breach what is overdue and warn of what soon will be, as of `act.at`."""
    change = expire(case, act)
    late = [clock for clock in change.case.clocks if needs_warning(clock, act.at)]
    if not late:
        return change
    clocks = tuple(replace(clock, warned=True) if clock in late else clock for clock in change.case.clocks)
    return change.then(
        replace(change.case, clocks=clocks, touched_at=act.at),
        history=[_happened(act, "warned", clock) for clock in late],
        notices=[Notice(act.at, case.owner, "warning", clock.kind) for clock in late],
    )


def expire(case: Case, act: Act) -> Change:
    """Mark overdue clocks as breached; the first breach of a case escalates it. When the next deadline passes and still
    nobody has acted, whoever oversees the case is told.

    Every command does this before anything else, so that a late one cannot outrun the timer.
    """
    late = [clock for clock in case.clocks if is_overdue(clock, act.at)]
    if not late:
        return Change(case)
    clocks = tuple(replace(clock, state="breached") if clock in late else clock for clock in case.clocks)
    told = [Notice(act.at, case.owner, "breach", clock.kind) for clock in late]
    if case.escalated and case.status in {"new", "assigned"}:
        told += [Notice(act.at, case.oversight_owner, "unattended", clock.kind) for clock in late]
    change = Change(
        replace(case, clocks=clocks, breached=True, touched_at=act.at),
        history=tuple(_happened(act, "breached", clock) for clock in late),
        notices=tuple(told),
    )
    return change if case.escalated else escalated(change, act)


def escalated(change: Change, act: Act) -> Change:
    """Told to the superior, who may now act on the case too; the owner stays. Once a case."""
    return change.then(
        replace(change.case, escalated=True, escalated_to=act.superior),
        history=[Happened(act.at, act.by, "escalated", {"to": act.superior})],
        notices=[
            Notice(act.at, act.superior, "escalation"),
            *(Notice(act.at, who, "fyi_escalated") for who in change.case.watchers),
        ],
    )


def _happened(act: Act, kind: str, clock: Clock) -> Happened:
    return Happened(act.at, act.by, kind, {"clock": clock.kind, "cycle": clock.cycle, "due_at": clock.due_at})
