"""Wins and thanks: the feed, and who is never in it."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field, StringConstraints

from closed_loop.domain.routing import subtree
from closed_loop.service.asking import quotes
from closed_loop.service.directory import load_parents
from closed_loop.service.recognitions import feed, find, never_recognised, take_back, thank, units_led
from closed_loop.tables_told import RecognitionRow
from fairloop.auth import Role, roles
from fairloop.errors import Forbidden, Invalid, NotFound, Unavailable
from fairloop.service import Runtime
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="recognition")
READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.EMPLOYEE)
THANKERS = roles(Role.ADMIN, Role.MANAGER, Role.EMPLOYEE)

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class RecognitionIn(Body):
    """`from` is the caller; an administrator names somebody. `response_id`: a win that the thanks are about."""

    to: Slug
    text: Words
    giver: Annotated[Slug | None, Field(alias="from")] = None
    response_id: UUID | None = None


class RecognitionOut(Answer):
    """`quote`: the promoter's words, there only with consent; `quotes` says when they could not be asked for."""

    id: UUID
    kind: Literal["thanks", "promoter", "recovered"]
    at: datetime
    to: Annotated[str, Field(validation_alias="recipient")]
    giver: Annotated[str | None, Field(serialization_alias="from")]
    text: str | None
    response_id: UUID | None
    case_id: UUID | None
    org_unit: str | None
    cause: str | None
    quote: str | None = None


class Feed(Listing[RecognitionOut]):
    quotes: Literal["shown", "unavailable"]


class UnrecognisedOut(Answer):
    employee: str
    org_units: list[str]
    last_recognised_at: Annotated[datetime | None, Field(validation_alias="last_at")]


class UnrecognisedList(Answer):
    """Everybody who worked there in the month and was neither thanked nor praised."""

    start: Annotated[date, Field(alias="from")]
    to: date
    items: list[UnrecognisedOut]


@routes.post("/v1/recognitions", allow=THANKERS)
async def post_recognition(
    body: RecognitionIn, session: Session, request: Request, caller: Caller, now: Now
) -> RecognitionOut:
    """Thank a colleague."""
    giver = body.giver or caller.employee_id
    if giver is None:
        raise Invalid("Say who gives thanks.", pointer="/body/from")
    if giver != caller.employee_id and not caller.has(Role.ADMIN):
        raise Forbidden("Thanks are given in one's own name.")
    row = await thank(
        session,
        giver=giver,
        recipient=body.to,
        text=body.text,
        response_id=body.response_id,
        now=now,
        zone=request.app.state.runtime.settings.zone,
    )
    return RecognitionOut.model_validate(row)


@routes.get("/v1/recognitions", allow=READERS)
async def list_recognitions(
    *,
    request: Request,
    page: Paging,
    caller: Caller,
    now: Now,
    org_unit: str | None = None,
    employee: str | None = None,
) -> Feed:
    """The feed of a team, the newest first: colleagues' thanks, promoters' praise, customers won back."""
    runtime: Runtime = request.app.state.runtime
    async with runtime.db.begin() as session:
        rows = await feed(session, caller, org_unit=org_unit, employee=employee, today=_today(runtime, now))
        by = [RecognitionRow.at, RecognitionRow.id]
        found = await listing(
            session, rows, by=by, page=page, to=RecognitionOut.model_validate, descending=True
        )
    return await _with_quotes(runtime, found)


@routes.get("/v1/recognitions/missing", allow=roles(Role.ADMIN, Role.MANAGER))
async def list_missing(
    *,
    session: Session,
    request: Request,
    caller: Caller,
    now: Now,
    month: Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] = None,
    org_unit: str | None = None,
) -> UnrecognisedList:
    """Who is never recognised, among the people a manager leads; this month by default."""
    zone = request.app.state.runtime.settings.zone
    start = now.astimezone(zone).date().replace(day=1) if month is None else date.fromisoformat(f"{month}-01")
    end = (start + timedelta(days=31)).replace(day=1)
    units = await units_led(session, caller)
    if org_unit is not None:
        asked = frozenset(subtree(await load_parents(session), [org_unit]))
        if units is not None and not asked <= units:
            raise NotFound(f"There is no unit {org_unit} that you lead.")
        units = asked
    items = await never_recognised(session, units, start=start, end=end, zone=zone)
    return UnrecognisedList(start=start, to=end, items=[UnrecognisedOut.model_validate(one) for one in items])


@routes.get("/v1/recognitions/{id}", allow=READERS)
async def get_recognition(id: UUID, request: Request, caller: Caller, now: Now) -> RecognitionOut:
    runtime: Runtime = request.app.state.runtime
    async with runtime.db.begin() as session:
        row = await find(session, id, caller, today=_today(runtime, now))
        found = Listing[RecognitionOut](items=[RecognitionOut.model_validate(row)])
    return (await _with_quotes(runtime, found)).items[0]


@routes.delete("/v1/recognitions/{id}", allow=THANKERS)
async def delete_recognition(
    id: UUID, session: Session, request: Request, caller: Caller, now: Now
) -> RecognitionOut:
    """Thanks are taken back by who gave them."""
    today = _today(request.app.state.runtime, now)
    return RecognitionOut.model_validate(await take_back(session, id, caller, today=today))


async def _with_quotes(runtime: Runtime, found: Listing[RecognitionOut]) -> Feed:
    """Asked for at every reading and never kept, so that an erasure or a consent taken back counts at once."""
    wanted = {one.response_id for one in found.items if one.kind != "thanks" and one.response_id is not None}
    try:
        words = await quotes(runtime.peers, wanted) if wanted else {}
    except Unavailable:
        return Feed(items=found.items, next=found.next, quotes="unavailable")
    items = [
        one
        if one.kind == "thanks" or one.response_id is None
        else one.model_copy(update={"quote": words.get(one.response_id)})
        for one in found.items
    ]
    return Feed(items=items, next=found.next, quotes="shown")


def _today(runtime: Runtime, now: datetime) -> date:
    return now.astimezone(runtime.settings.zone).date()
