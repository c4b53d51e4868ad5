"""Rolling figures that moved."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.web import Answer, Listing, Paging, Routes, Session
from fairloop.web.paging import listing
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.tables import Shift

routes = Routes(tag="kpis")


class WindowOut(Answer):
    """The days counted; `to` is exclusive."""

    from_: date = Field(alias="from")
    to: date


class ShiftOut(Answer):
    """The last window against the one before it; `z` is what |z| ≥ `threshold` was asked of."""

    id: UUID
    kpi: str
    scope_type: str
    scope_id: str
    view: str
    window: WindowOut
    before: WindowOut
    value: float
    value_before: float
    n: int
    n_before: int
    z: float
    threshold: float
    created_at: datetime


def _out(row: Shift) -> ShiftOut:
    return ShiftOut(
        id=row.id,
        kpi=row.kpi,
        scope_type=row.scope_type,
        scope_id=row.scope_id,
        view=row.view,
        window=WindowOut(**{"from": row.window_from, "to": row.window_to}),
        before=WindowOut(**{"from": row.before_from, "to": row.window_from}),
        value=row.value,
        value_before=row.before,
        n=row.n,
        n_before=row.n_before,
        z=row.z,
        threshold=row.threshold,
        created_at=row.created_at,
    )


@routes.get("/v1/shifts", allow=roles(Role.ADMIN, Role.ANALYST, Role.OPS, Role.WORKS_COUNCIL))
async def list_shifts(session: Session, page: Paging, kpi: Kpi = "nps") -> Listing[ShiftOut]:
    """Every unit, cause and organisation whose figure moved, the newest window first; persons are not watched."""
    statement = select(Shift).where(Shift.kpi == kpi)
    return await listing(
        session, statement, by=[Shift.window_to, Shift.id], page=page, to=_out, descending=True
    )
