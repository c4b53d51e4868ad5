"""After a restore: cases as the log tells them. What was written about them is nowhere else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import DEFAULT_POLICY, Track
from closed_loop.domain.calendar import Calendar
from closed_loop.domain.case import Act, Case
from closed_loop.domain.lifecycle import SYSTEM, Terms, withdraw
from closed_loop.domain.routing import Circumstances, oversight_of
from closed_loop.domain.sla import Clock, Pause, schedule, start_clocks
from closed_loop.service.cases import act_of, case_of, publish_again, published, put_back
from closed_loop.service.directory import load_directory
from closed_loop.service.documents import documents_in_force
from closed_loop.tables import CaseRow, ResponseSeen
from fairloop.events import CaseClock, ClosedLoopCase
from fairloop.published import Published
from fairloop.service import Recovery, Runtime, Taken, nothing_to_finish

_WORDS = (
    "Notes, documentation, reasons and the history of cases since the backup are not on the log: they are lost. "
    "Alert rules, policies, calendars, playbooks, action plans, behaviours, training, observations, thanks and webhook "
    "subscriptions put since then are lost too."
)


async def take(runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
    """What the answers led to again is overlaid with what was published; what somebody did since the restore stays."""
    told = [(one.event, one.at) for one in events if isinstance(one.event, ClosedLoopCase)]
    newest = {event.case_id: event for event, _ in told}
    held = await _held(session, newest)
    missing = [event for id, event in newest.items() if id not in held]
    held |= await _without_their_rules(session, missing, runtime.clock())
    changed: dict[UUID, Case] = {}
    for event, at in told:
        case = changed.get(event.case_id) or held.get(event.case_id)
        if case is not None and _is_news(case, event):
            act = await act_of(session, case, by=SYSTEM, now=runtime.clock())
            changed[case.id] = as_published(case, event, at=at, act=act)
    for id, event in newest.items():
        case = held.get(id)
        if case is not None and case.erased and case.version <= event.version and published(case) != event:
            changed[id] = _erased_as_published(case, event)
    unlike: list[Case] = []
    for id, case in changed.items():
        if published(case) != newest[id]:
            changed[id] = replace(case, version=max(case.version, newest[id].version) + 1)
            unlike.append(changed[id])
    await put_back(session, list(changed.values()))
    await publish_again(session, unlike)
    return Taken(len(changed), [*([_WORDS] if changed else []), *map(_without_its_rule, missing)])


recovery = Recovery(take=take, finish=nothing_to_finish)


def as_published(case: Case, event: ClosedLoopCase, *, at: datetime, act: Act) -> Case:
    """The case in the state an event tells, which was published at `at`. A person's later act keeps its effect."""
    version = max(case.version, event.version)
    if case.acted and case.touched_at > at:
        return replace(case, version=version, opened_at=event.opened_at)
    pauses = _pauses(case.pauses, event, at)
    told = {clock.kind: clock for clock in event.clocks}
    clocks = tuple(
        _clock(clock, told[clock.kind], event, calendar=act.calendar, pauses=pauses, now=act.at)
        if clock.kind in told
        else clock
        for clock in case.clocks
    )
    return replace(
        case,
        version=version,
        status=event.status,
        owner=event.owner,
        owner_reason=event.owner_reason,
        track=event.track,
        org_unit=event.org_unit,
        escalated=event.escalated,
        escalated_to=(case.escalated_to or act.superior) if event.escalated else None,
        breached=any(clock.state == "breached" for clock in event.clocks),
        acted=case.acted or _is_acted(event),
        opened_at=event.opened_at,
        closed_at=event.closed_at,
        closed_reason="resolved" if event.closed_at else None,
        contacted_as_planned=event.contacted_as_planned,
        result=event.result,
        touched_at=at,
        clocks=clocks,
        pauses=pauses,
    )


def _erased_as_published(case: Case, event: ClosedLoopCase) -> Case:
    """Nothing comes back of an erased case; one that the log has closed too takes the times over."""
    if event.status != "closed":
        return replace(case, version=event.version)
    told = {clock.kind: clock for clock in event.clocks}
    return replace(
        case,
        version=event.version,
        owner=event.owner,
        owner_reason=event.owner_reason,
        track=event.track,
        org_unit=event.org_unit,
        escalated=event.escalated,
        opened_at=event.opened_at,
        closed_at=event.closed_at,
        clocks=tuple(
            replace(clock, state=told[clock.kind].state, due_at=told[clock.kind].due_at)
            if clock.kind in told
            else clock
            for clock in case.clocks
        ),
    )


def _is_news(case: Case, event: ClosedLoopCase) -> bool:
    """A case made again since the restore has another time of opening, whatever its version is."""
    if case.erased:
        return False
    if event.version == case.version:
        return published(case) != event
    made_again = event.opened_at != case.opened_at
    return event.version > case.version or made_again or (_is_acted(event) and not case.acted)


def _is_acted(event: ClosedLoopCase) -> bool:
    return event.status not in {"new", "assigned"}


def _clock(
    held: Clock,
    told: CaseClock,
    event: ClosedLoopCase,
    *,
    calendar: Calendar,
    pauses: Sequence[Pause],
    now: datetime,
) -> Clock:
    """A deadline that is another one is another cycle, so that its timer is armed for the right time."""
    if (held.state, held.due_at) == (told.state, told.due_at):
        return held
    if told.state != "running":
        return replace(held, state=told.state, due_at=told.due_at)
    again = schedule(replace(held, started_at=event.opened_at), calendar, pauses)
    return replace(again, due_at=told.due_at, warned=again.warn_at is None or again.warn_at <= now)


def _pauses(held: tuple[Pause, ...], event: ClosedLoopCase, at: datetime) -> tuple[Pause, ...]:
    """A pause lasted from the event that told of it to the one that told of its end."""
    pausing = event.closed_at is None and any(clock.state == "paused" for clock in event.clocks)
    paused = bool(held) and held[-1].until is None
    if pausing and not paused:
        return (*held, Pause(at))
    if paused and not pausing:
        return (*held[:-1], Pause(held[-1].since, at))
    return held


def _without_its_rule(event: ClosedLoopCase) -> str:
    return (
        f"Case {event.case_id} of response {event.response_id} ({event.status}, {event.owner}): the alert rule "
        f"{event.alert_rule} that opened it is not there, or not as it was. It stays with its owner and its deadlines, "
        "under the default policy, until the rule is put again and the answer changes."
    )


async def _without_their_rules(
    session: AsyncSession, events: Sequence[ClosedLoopCase], now: datetime
) -> dict[UUID, Case]:
    """Cases that no answer has opened again, before anything was published of them: under the default policy, left to
    their owners. The answer's scores and circumstances come with its next revision, once the rule is back."""
    if not events:
        return {}
    terms = (await documents_in_force(session)).terms[DEFAULT_POLICY]
    oversight = oversight_of(await load_directory(session, ()), now.date())
    seen = select(ResponseSeen.response_id).where(
        ResponseSeen.response_id.in_([event.response_id for event in events]), ResponseSeen.day.is_(None)
    )
    erased = set(await session.scalars(seen))
    cases = [_bare(event, terms, oversight) for event in events]
    return {
        case.id: withdraw(case, "erased", now=now).case if case.response_id in erased else case
        for case in cases
    }


def _bare(event: ClosedLoopCase, terms: Terms, oversight: str) -> Case:
    return Case(
        id=event.case_id,
        version=0,
        response_id=event.response_id,
        alert_rule=event.alert_rule,
        track=msgspec.convert(event.track, Track),
        status="new",
        owner=event.owner,
        owner_reason=event.owner_reason,
        oversight_owner=oversight,
        org_unit=event.org_unit,
        circumstances=Circumstances(survey_type=""),
        sla_policy=terms.policy_id,
        sla_policy_version=terms.policy_version,
        calendar=terms.policy.calendar,
        calendar_version=terms.calendar_version,
        escalate_to=terms.policy.escalate_to,
        acted=True,
        opened_at=event.opened_at,
        touched_at=event.opened_at,
        clocks=start_clocks(terms.policy, terms.calendar, event.opened_at),
    )


async def _held(session: AsyncSession, ids: Sequence[UUID] | dict[UUID, ClosedLoopCase]) -> dict[UUID, Case]:
    rows = await session.scalars(
        select(CaseRow).where(CaseRow.id.in_(ids)).order_by(CaseRow.id).with_for_update()
    )
    return {row.id: case_of(row) for row in rows}
