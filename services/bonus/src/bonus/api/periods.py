"""Periods: set, calculate, look at."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field
from sqlalchemy import select

from bonus.api.runs import RunOut
from bonus.domain.lifecycle import PeriodStatus
from bonus.domain.tenure import Days
from bonus.service.adjustments import adjustments_of
from bonus.service.calculation import calculate_period
from bonus.service.periods import get_period as load_period
from bonus.service.periods import put_period as save_period
from bonus.tables import BonusRunRow, Period
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="periods")


class PeriodIn(Body):
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: Slug


class PeriodOut(Answer):
    id: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: str
    status: PeriodStatus

    @classmethod
    def of(cls, row: Period) -> "PeriodOut":
        return cls(id=row.id, start=row.date_from, end=row.date_to, plan=row.plan, status=row.status)


class ReasonOut(Answer):
    response_id: str
    kind: str


class AdjustmentOut(Answer):
    """A line for the next period; `released_minor` was held at the approval and is free since."""

    employee: str
    approved_minor: int
    corrected_minor: int
    difference_minor: int
    released_minor: int
    currency: str
    reasons: list[ReasonOut]


class AdjustmentsOut(Answer):
    period: str
    run: UUID
    items: list[AdjustmentOut]
    next: None = None


@routes.put("/v1/periods/{id}", allow=roles(Role.ADMIN, Role.FINANCE))
async def put_period(id: Slug, body: PeriodIn, session: Session) -> PeriodOut:
    return PeriodOut.of(await save_period(session, id, days=Days(body.start, body.end), plan=body.plan))


@routes.get("/v1/periods/{id}", allow=EVERYBODY)
async def get_period(id: Slug, session: Session) -> PeriodOut:
    return PeriodOut.of(await load_period(session, id))


@routes.get("/v1/periods", allow=EVERYBODY)
async def get_periods(session: Session, page: Paging) -> Listing[PeriodOut]:
    return await listing(session, select(Period), by=[Period.id], page=page, to=PeriodOut.of)


@routes.post("/v1/periods/{id}/calculate", allow=roles(Role.ADMIN, Role.FINANCE))
async def post_calculate(id: Slug, request: Request, session: Session, caller: Caller, now: Now) -> RunOut:
    runtime = request.app.state.runtime
    return RunOut.of(await calculate_period(session, id, runtime=runtime, caller=caller, now=now))


@routes.get("/v1/periods/{id}/runs", allow=roles(Role.ADMIN, Role.FINANCE, Role.ANALYST, Role.WORKS_COUNCIL))
async def get_runs(id: Slug, session: Session, page: Paging) -> Listing[RunOut]:
    """Newest first."""
    await load_period(session, id)
    statement = select(BonusRunRow).where(BonusRunRow.period == id)
    return await listing(session, statement, by=[BonusRunRow.id], page=page, to=RunOut.of, descending=True)


@routes.get("/v1/periods/{id}/adjustments", allow=roles(Role.ADMIN, Role.FINANCE))
async def get_adjustments(id: Slug, request: Request) -> AdjustmentsOut:
    """What corrections since the approval would change, computed now."""
    run, lines = await adjustments_of(request.app.state.runtime, id)
    items = [AdjustmentOut.model_validate(line) for line in lines]
    return AdjustmentsOut(period=id, run=run.id, items=items)
