"""SLA clocks: a target in business time, less the pauses, gives the time it is due.

elapsed = B(start, now) − Σ B(merged pauses), due = the earliest t with elapsed = target, undefined while a pause
lasts. The warning is due at a fraction of the same target.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec.structs import replace

from closed_loop.domain.calendar import Calendar, add_business_time, business_time

ClockKind = Literal["acknowledge", "contact", "resolve"]
ClockState = Literal["running", "paused", "met", "breached"]
CLOCK_KINDS: tuple[ClockKind, ...] = ("acknowledge", "contact", "resolve")


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """Targets in business minutes of the named calendar; warned at a fraction in (0, 1) of each."""

    calendar: str
    target_minutes: Mapping[ClockKind, float]
    warn_at: Decimal
    escalate_to: str | None = None


class Pause(msgspec.Struct, frozen=True):
    """The clocks stand still in [since, until); until is None while it lasts."""

    since: datetime
    until: datetime | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One promise. `cycle` counts how often it was scheduled; due and warning are None while it stands still."""

    kind: ClockKind
    cycle: int
    target_minutes: float
    warn_fraction: Decimal
    started_at: datetime
    state: ClockState = "running"
    due_at: datetime | None = None
    warn_at: datetime | None = None
    warned: bool = False
    settled_at: datetime | None = None


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The same time off, without overlaps, in order."""
    result: list[Pause] = []
    for pause in sorted(pauses, key=lambda pause: pause.since):
        last = result[-1] if result else None
        if last is None or (last.until is not None and last.until < pause.since):
            result.append(pause)
        elif last.until is not None:
            until = None if pause.until is None else max(last.until, pause.until)
            result[-1] = Pause(last.since, until)
    return result


def elapsed(calendar: Calendar, start: datetime, now: datetime, pauses: Iterable[Pause]) -> timedelta:
    """Business time from `start` to `now` less the pauses."""
    off = timedelta(0)
    for pause in merged(pauses):
        until = now if pause.until is None else min(pause.until, now)
        off += business_time(calendar, max(pause.since, start), until)
    return business_time(calendar, start, now) - off


def due(
    calendar: Calendar, start: datetime, target: timedelta, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """The earliest time at which the elapsed time equals the target; None when a pause that lasts is before it."""
    left = target
    for pause in merged(pauses):
        worked = business_time(calendar, start, pause.since)
        if worked >= left:
            break
        if pause.until is None:
            return None
        left -= worked
        start = max(start, pause.until)
    return add_business_time(calendar, start, left)


def start_clocks(policy: SlaPolicy, calendar: Calendar, now: datetime) -> tuple[Clock, ...]:
    """One running clock for each target of the policy."""
    return tuple(
        schedule(
            Clock(
                kind=kind,
                cycle=0,
                target_minutes=policy.target_minutes[kind],
                warn_fraction=policy.warn_at,
                started_at=now,
            ),
            calendar,
            (),
        )
        for kind in CLOCK_KINDS
        if kind in policy.target_minutes
    )


def schedule(clock: Clock, calendar: Calendar, pauses: Sequence[Pause]) -> Clock:
    """The clock running in its next cycle, due as its start and the pauses so far make it."""
    target = timedelta(minutes=clock.target_minutes)
    warning = timedelta(seconds=int(clock.target_minutes * 60 * float(clock.warn_fraction)))
    return replace(
        clock,
        cycle=clock.cycle + 1,
        state="running",
        due_at=due(calendar, clock.started_at, target, pauses),
        warn_at=due(calendar, clock.started_at, warning, pauses),
    )


def restart(clock: Clock, calendar: Calendar, now: datetime) -> Clock:
    """The whole target again, from now."""
    return schedule(replace(clock, started_at=now, warned=False, settled_at=None), calendar, ())


def stand_still(clock: Clock) -> Clock:
    """A running clock without a deadline; another is left as it is."""
    if clock.state != "running":
        return clock
    return replace(clock, state="paused", due_at=None, warn_at=None)


def is_overdue(clock: Clock, now: datetime) -> bool:
    """True for a running clock at or past its deadline."""
    return clock.state == "running" and clock.due_at is not None and now >= clock.due_at


def needs_warning(clock: Clock, now: datetime) -> bool:
    """True for a running clock past its warning that nobody was warned of."""
    return (
        clock.state == "running" and not clock.warned and clock.warn_at is not None and now >= clock.warn_at
    )


def settle(clock: Clock, now: datetime) -> Clock:
    """What was promised is done: met, unless it was breached before. Overdue clocks are breached first."""
    if clock.settled_at is not None:
        return clock
    state: ClockState = "breached" if clock.state == "breached" or is_overdue(clock, now) else "met"
    return replace(clock, state=state, settled_at=now)
