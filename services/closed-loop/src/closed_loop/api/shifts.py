"""Figures that moved: what to look into, and where an action plan may begin."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from closed_loop.service.shifts import shifts_for
from closed_loop.tables import ShiftRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Caller, Listing, Paging, Routes, Session, listing

routes = Routes(tag="shifts")
READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.WORKS_COUNCIL, Role.MANAGER, Role.EMPLOYEE)


class WindowOut(Answer):
    """The days counted; `to` is exclusive."""

    from_: date = Field(alias="from")
    to: date


class ShiftOut(Answer):
    """The last window against the one before it, and the z of the two."""

    id: UUID
    kpi: str
    scope_type: str
    scope_id: str
    window: WindowOut
    before: WindowOut
    value: float
    value_before: float
    n: int
    n_before: int
    z: float
    told_at: datetime


@routes.get("/v1/kpi-shifts", allow=READERS)
async def list_shifts(session: Session, page: Paging, caller: Caller) -> Listing[ShiftOut]:
    """Those the caller was told of, the newest window first."""
    statement = await shifts_for(session, caller)
    by = [ShiftRow.window_to, ShiftRow.id]
    return await listing(session, statement, by=by, page=page, to=_out, descending=True)


@routes.get("/v1/kpi-shifts/{id}", allow=READERS)
async def get_shift(id: UUID, session: Session, caller: Caller) -> ShiftOut:
    """What a notification about a `kpi_shift` is about."""
    row = await session.scalar((await shifts_for(session, caller)).where(ShiftRow.id == id))
    if row is None:
        raise NotFound(f"There is no shift {id} that you were told of.")
    return _out(row)


def _out(row: ShiftRow) -> ShiftOut:
    return ShiftOut(
        id=row.id,
        kpi=row.kpi,
        scope_type=row.scope_type,
        scope_id=row.scope_id,
        window=WindowOut(**{"from": row.window_from, "to": row.window_to}),
        before=WindowOut(**{"from": row.before_from, "to": row.window_from}),
        value=row.value,
        value_before=row.before,
        n=row.n,
        n_before=row.n_before,
        z=row.z,
        told_at=row.told_at,
    )
