"""Periods: set, calculate, look at."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field
from sqlalchemy import select

from bonus.api.runs import RunOut
from bonus.domain.lifecycle import PeriodStatus
from bonus.domain.notice import Published, TooEarlyError, counting_for
from bonus.domain.tenure import Days
from bonus.service.adjustments import adjustments_of
from bonus.service.calculation import calculate_period
from bonus.service.notice import all_published, published_versions
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


class NoticeOut(Answer):
    """The version of the plan that counts for a period, and whether the payees had been told in time.

    Not `kept`: the period began before the notice was over, because there was no plan yet.
    """

    plan_version: int
    text_hash: str
    published_on: date
    in_force_from: date
    kept: bool


class PeriodOut(Answer):
    """`notice` is null as long as no version may count."""

    id: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    plan: str
    status: PeriodStatus
    notice: NoticeOut | None

    @classmethod
    def of(cls, row: Period, published: Sequence[Published]) -> "PeriodOut":
        return cls(
            id=row.id,
            start=row.date_from,
            end=row.date_to,
            plan=row.plan,
            status=row.status,
            notice=notice_of(published, row.date_from),
        )


def notice_of(published: Sequence[Published], start: date) -> NoticeOut | None:
    """What there is to say about the notice of a period that begins on `start`."""
    try:
        counting = counting_for(published, start)
    except TooEarlyError:
        return None
    if counting is None:
        return None
    version = counting.version
    return NoticeOut(
        plan_version=version.version,
        text_hash=version.text_hash,
        published_on=version.published_on,
        in_force_from=version.in_force_from,
        kept=counting.kept,
    )


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
    """A period cannot begin while the notice of the plan's first text is running."""
    period = await save_period(session, id, days=Days(body.start, body.end), plan=body.plan)
    return PeriodOut.of(period, await published_versions(session, period.plan))


@routes.get("/v1/periods/{id}", allow=EVERYBODY)
async def get_period(id: Slug, session: Session) -> PeriodOut:
    period = await load_period(session, id)
    return PeriodOut.of(period, await published_versions(session, period.plan))


@routes.get("/v1/periods", allow=EVERYBODY)
async def get_periods(session: Session, page: Paging) -> Listing[PeriodOut]:
    published = await all_published(session)

    def shown(row: Period) -> PeriodOut:
        return PeriodOut.of(row, published.get(row.plan, []))

    return await listing(session, select(Period), by=[Period.id], page=page, to=shown)


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
