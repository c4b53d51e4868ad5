"""Loading cases under lock and saving what became of them: state, history, notes, timers and the event, together."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Act, Case, Change
from closed_loop.domain.lifecycle import is_routable
from closed_loop.domain.sla import Clock
from closed_loop.service.directory import load_people
from closed_loop.service.documents import calendar_version
from closed_loop.tables import CaseEventRow, CaseNoteRow, CaseRow, NotificationRow
from fairloop.db import sql
from fairloop.events import CaseClock, ClosedLoopCase
from fairloop.outbox import publish

_SAVE = """
INSERT INTO customer_case (id, response_id, alert_rule, status, owner, oversight_owner, escalated_to, org_unit,
  breached, routable, opened_at, state)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::bool[], $10::bool[], $11::timestamptz[], $12::jsonb[])
ON CONFLICT (id) DO UPDATE SET status = excluded.status, owner = excluded.owner,
  oversight_owner = excluded.oversight_owner, escalated_to = excluded.escalated_to, org_unit = excluded.org_unit,
  breached = excluded.breached, routable = excluded.routable, state = excluded.state
"""
_DISARM = """
UPDATE sla_timer SET state = 'disarmed' WHERE state = 'armed' AND case_id = ANY($1::uuid[])
  AND (case_id, kind, cycle) NOT IN (SELECT * FROM unnest($2::uuid[], $3::text[], $4::bigint[]))
"""
_ARM = """
INSERT INTO sla_timer (case_id, kind, cycle, due_at, state, calendar_version)
SELECT a, b, c, d, 'armed', e FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[])
  AS wanted (a, b, c, d, e)
ON CONFLICT DO NOTHING
"""
WARNING = ".warning"


def case_of(row: CaseRow) -> Case:
    """The case a row holds."""
    return msgspec.convert(row.state, Case)


async def lock_case(session: AsyncSession, case_id: UUID) -> Case | None:
    """The case, ours until the commit."""
    row = await session.scalar(select(CaseRow).where(CaseRow.id == case_id).with_for_update())
    return case_of(row) if row is not None else None


async def lock_cases_of(session: AsyncSession, response_ids: Iterable[UUID]) -> list[Case]:
    """All cases of these responses, locked in the order of their ids, as everybody does who locks several."""
    statement = (
        select(CaseRow)
        .where(CaseRow.response_id.in_(list(response_ids)))
        .order_by(CaseRow.id)
        .with_for_update()
    )
    return [case_of(row) for row in await session.scalars(statement)]


async def save(session: AsyncSession, changes: Sequence[Change]) -> list[Case]:
    """Keep the changes, given in their order, of cases that this transaction has locked or makes.

    Each is one more version of its case and one event. Returns each case's newest state.
    """
    if not changes:
        return []
    states: dict[UUID, Case] = {}
    numbered: list[Case] = []
    for change in changes:
        before = states.get(change.case.id, change.case).version
        states[change.case.id] = replace(change.case, version=before + 1)
        numbered.append(states[change.case.id])
    newest = list(states.values())
    await _save_rows(session, newest)
    await _save_timers(session, newest)
    _keep_story(session, changes)
    await session.flush()
    await _blank_erased(session, newest)
    await publish(session, [published(case) for case in numbered])
    return newest


async def act_of(session: AsyncSession, case: Case, *, by: str, now: datetime) -> Act:
    """Under what conditions something is done to a case now. Its own time never runs backwards."""
    calendar = await calendar_version(session, case.calendar, case.calendar_version)
    at = max(now, case.touched_at)
    return Act(at=at, by=by, calendar=calendar, superior=await _superior(session, case))


async def republish(session: AsyncSession) -> AsyncIterator[ClosedLoopCase]:
    """Every case as it is, in its present version."""
    rows = await session.stream_scalars(select(CaseRow).order_by(CaseRow.id).execution_options(yield_per=500))
    async for row in rows:
        yield published(case_of(row))


def published(case: Case) -> ClosedLoopCase:
    """What others are told of a case."""
    return ClosedLoopCase(
        version=case.version,
        case_id=case.id,
        response_id=case.response_id,
        alert_rule=case.alert_rule,
        status=case.status,
        track=case.track,
        owner=case.owner,
        owner_reason=case.owner_reason,
        org_unit=case.org_unit,
        escalated=case.escalated,
        clocks=tuple(
            CaseClock(kind=clock.kind, state=clock.state, due_at=clock.due_at) for clock in case.clocks
        ),
        opened_at=case.opened_at,
        closed_at=case.closed_at,
    )


async def _superior(session: AsyncSession, case: Case) -> str:
    """Whom the policy names, else the owner's manager, else who watches over the case."""
    if case.escalate_to is not None:
        return case.escalate_to
    owner = (await load_people(session, [case.owner])).get(case.owner)
    if owner is None or owner.manager is None:
        return case.oversight_owner
    manager = (await load_people(session, [owner.manager])).get(owner.manager)
    return owner.manager if manager is not None and manager.active else case.oversight_owner


async def _save_rows(session: AsyncSession, cases: Sequence[Case]) -> None:
    await sql(
        session,
        _SAVE,
        [case.id for case in cases],
        [case.response_id for case in cases],
        [case.alert_rule for case in cases],
        [case.status for case in cases],
        [case.owner for case in cases],
        [case.oversight_owner for case in cases],
        [case.escalated_to for case in cases],
        [case.org_unit for case in cases],
        [case.breached for case in cases],
        [is_routable(case) for case in cases],
        [case.opened_at for case in cases],
        [msgspec.json.encode(case).decode() for case in cases],
    )


async def _save_timers(session: AsyncSession, cases: Sequence[Case]) -> None:
    """Exactly the deadlines and warnings of the clocks that run are armed."""
    armed = [timer for case in cases for clock in case.clocks for timer in _timers(case, clock)]
    timers = (
        [timer.case_id for timer in armed],
        [timer.kind for timer in armed],
        [timer.cycle for timer in armed],
    )
    await sql(session, _DISARM, [case.id for case in cases], *timers)
    dues, versions = [timer.due_at for timer in armed], [timer.calendar_version for timer in armed]
    await sql(session, _ARM, *timers, dues, versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timer:
    case_id: UUID
    kind: str
    cycle: int
    due_at: datetime
    calendar_version: int


def _timers(case: Case, clock: Clock) -> Iterator[_Timer]:
    """What has to be waited for while the clock runs."""
    if clock.state != "running":
        return
    waits = {clock.kind: clock.due_at, clock.kind + WARNING: None if clock.warned else clock.warn_at}
    for kind, due_at in waits.items():
        if due_at is not None:
            yield _Timer(
                case_id=case.id,
                kind=kind,
                cycle=clock.cycle,
                due_at=due_at,
                calendar_version=case.calendar_version,
            )


def _keep_story(session: AsyncSession, changes: Sequence[Change]) -> None:
    for change in changes:
        id = change.case.id
        session.add_all(
            CaseEventRow(case_id=id, at=one.at, by=one.by, kind=one.kind, data=dict(one.data))
            for one in change.history
        )
        session.add_all(
            CaseNoteRow(case_id=id, at=n.at, by=n.by, kind=n.kind, text=n.text, method=n.method)
            for n in change.notes
        )
        session.add_all(
            NotificationRow(case_id=id, at=n.at, recipient=n.to, kind=n.kind, clock=n.clock)
            for n in change.notices
        )


async def _blank_erased(session: AsyncSession, cases: Sequence[Case]) -> None:
    erased = [case.id for case in cases if case.erased]
    if erased:
        await sql(
            session, "UPDATE case_note SET text = '', method = NULL WHERE case_id = ANY($1::uuid[])", erased
        )
