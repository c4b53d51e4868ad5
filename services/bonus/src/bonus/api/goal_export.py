"""Goals and results for the HR system."""

from datetime import date
from typing import Annotated

from fastapi import Response
from pydantic import Field

from bonus.domain.goal_export import as_csv
from bonus.service.goal_export import Place, everything, exported
from fairloop.auth import Role, roles
from fairloop.web import Answer, Listing, Paging, Routes, Session, Slug
from fairloop.web.paging import decode_cursor, encode_cursor

routes = Routes(tag="goals")

READERS = roles(Role.ADMIN, Role.FINANCE)


class LineOut(Answer):
    """One payee, period and goal. As long as the period is open, all from `value` to `payout_minor` is null."""

    employee: str
    period: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    status: str
    plan: str
    plan_version: int
    mode: str
    goal: str
    kpi: str
    scope: str
    view: str
    weight: str
    threshold: str
    target: str
    excellence: str
    value: str | None
    ci95_low: str | None
    ci95_high: str | None
    n: int | None
    reliability: str | None
    attainment: str | None
    multiple: str | None
    payout_minor: int | None
    currency: str
    run: str | None


@routes.get("/v1/goals/export.csv", allow=READERS, response_class=Response)
async def get_csv(session: Session, period: Slug | None = None) -> Response:
    """RFC 4180, of one period or of all."""
    text = as_csv([line async for line in everything(session, period=period)])
    disposition = 'attachment; filename="goals.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": disposition})


@routes.get("/v1/goals/export.json", allow=READERS)
async def get_json(session: Session, page: Paging, period: Slug | None = None) -> Listing[LineOut]:
    """The same in pages of at most `limit` payees, each with all its lines of one period."""
    after = Place() if page.cursor is None else Place(*decode_cursor(page.cursor, [str, str]))
    found = await exported(session, after=after, limit=page.limit, period=period)
    last = found[-1].place if len(found) == page.limit else None
    return Listing[LineOut](
        items=[LineOut.model_validate(line) for one in found for line in one.lines],
        next=None if last is None else encode_cursor([last.period, last.employee]),
    )
