"""Loading cases under lock and saving what became of them: state, history, notes, timers and the event, together."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Act, Case, Change
from closed_loop.service.directory import load_people
from closed_loop.service.documents import calendar_version
from closed_loop.service.keeping import keep
from closed_loop.service.webhooks import tell_of_cases
from closed_loop.service.wins import settle_recoveries
from closed_loop.tables import CaseRow
from fairloop.events import CaseClock, ClosedLoopCase
from fairloop.outbox import publish
from fairloop.service import Runtime


def case_of(row: CaseRow) -> Case:
    """The case a row holds."""
    return msgspec.convert(row.state, Case)


async def lock_case(session: AsyncSession, case_id: UUID) -> Case | None:
    """The case, ours until the commit."""
    row = await session.scalar(select(CaseRow).where(CaseRow.id == case_id).with_for_update())
    return case_of(row) if row is not None else None


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
    await keep(session, newest, changes)
    await publish(session, [published(case) for case in numbered])
    await tell_of_cases(session, [(published(case), case.touched_at) for case in numbered])
    await settle_recoveries(session, newest)
    return newest


async def put_back(session: AsyncSession, cases: Sequence[Case]) -> None:
    """Keep locked cases as they had been published, with exactly their deadlines armed; nobody is told anew."""
    if cases:
        await keep(session, cases, ())
        await tell_of_cases(session, [(published(case), case.touched_at) for case in cases])


async def publish_again(session: AsyncSession, cases: Sequence[Case]) -> None:
    """Tell the others of cases in the versions they have."""
    await publish(session, [published(case) for case in cases])


async def act_of(session: AsyncSession, case: Case, *, by: str, now: datetime) -> Act:
    """Under what conditions something is done to a case now. Its own time never runs backwards."""
    calendar = await calendar_version(session, case.calendar, case.calendar_version)
    at = max(now, case.touched_at)
    return Act(at=at, by=by, calendar=calendar, superior=await _superior(session, case))


async def republish(runtime: Runtime, session: AsyncSession) -> AsyncIterator[ClosedLoopCase]:
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
        contacted_as_planned=case.contacted_as_planned,
        result=case.result,
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
