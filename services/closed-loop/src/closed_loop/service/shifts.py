"""Figures that moved: kept as what sets off the outer loop, and told once to whom they concern."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.routing import WHOLE_ORGANISATION
from closed_loop.service.directory import load_parents
from closed_loop.service.notifications import Subject, notifications_for, notify
from closed_loop.tables import NotificationRow, ShiftRow
from fairloop.auth import Caller, Role
from fairloop.events import KpiShift

SUBJECT = "kpi_shift"
_SEE_ALL = (Role.ADMIN, Role.OPS, Role.ANALYST, Role.WORKS_COUNCIL)


async def follow_up_shifts(session: AsyncSession, events: Sequence[KpiShift], *, now: datetime) -> None:
    """A unit is told of its own; of a cause and the organisation, whoever has a unit that is below none."""
    by_id = {event.shift_id: event for event in reversed(events)}  # the first counts: a shift never changes
    statement = (
        insert(ShiftRow)
        .values([_values(by_id[id], now) for id in sorted(by_id)])
        .on_conflict_do_nothing()
        .returning(ShiftRow.id)
    )
    new = set(await session.scalars(statement))
    if not new:
        return
    parents = await load_parents(session)
    top = [unit for unit, above in parents.items() if above is None] or [WHOLE_ORGANISATION]
    for id in sorted(new):
        event = by_id[id]
        units = [event.scope_id] if event.scope_type == "org_unit" else top
        recipients = [f"org_unit:{unit}" for unit in units]
        await notify(session, recipients, "kpi_shift", about=Subject(SUBJECT, str(id)), at=now)


def _values(event: KpiShift, now: datetime) -> dict[str, object]:
    return {
        "id": event.shift_id,
        "kpi": event.kpi,
        "scope_type": event.scope_type,
        "scope_id": event.scope_id,
        "before_from": event.before_from,
        "window_from": event.window_from,
        "window_to": event.window_to,
        "value": event.value,
        "before": event.before,
        "n": event.n,
        "n_before": event.n_before,
        "z": event.z,
        "told_at": now,
    }


async def shifts_for(session: AsyncSession, caller: Caller) -> Select[ShiftRow]:
    """Those the caller was told of; the roles that see every aggregate see all."""
    if caller.has(*_SEE_ALL):
        return select(ShiftRow)
    told = (await notifications_for(session, caller)).where(NotificationRow.subject_type == SUBJECT)
    return select(ShiftRow).where(
        cast(ShiftRow.id, Text).in_(told.with_only_columns(NotificationRow.subject_id))
    )
