"""Alert rules, SLA policies and calendars. A change counts for cases opened after it."""

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.api.shapes import (
    AlertRuleIn,
    AlertRuleOut,
    CalendarIn,
    CalendarOut,
    SlaPolicyIn,
    SlaPolicyOut,
)
from closed_loop.service.documents import D, current_document, newest, put_document
from closed_loop.tables import AlertRuleDocument, CalendarDocument, SlaPolicyDocument
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.errors import Invalid, NotFound
from fairloop.web import Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="rules")
WRITERS = roles(Role.ADMIN, Role.OPS)


@routes.put("/v1/alert-rules/{id}", allow=WRITERS)
async def put_alert_rule(id: Slug, body: AlertRuleIn, session: Session, now: Now) -> AlertRuleOut:
    await _require(session, SlaPolicyDocument, body.sla_policy, pointer="/body/sla_policy")
    document = body.model_dump(mode="json")
    return _rule(await put_document(session, AlertRuleDocument, id, document, now=now))


@routes.get("/v1/alert-rules/{id}", allow=EVERYBODY)
async def get_alert_rule(id: Slug, session: Session) -> AlertRuleOut:
    return _rule(await _found(session, AlertRuleDocument, id))


@routes.get("/v1/alert-rules", allow=EVERYBODY)
async def list_alert_rules(session: Session, page: Paging) -> Listing[AlertRuleOut]:
    statement = newest(AlertRuleDocument)
    return await listing(session, statement, by=[AlertRuleDocument.id], page=page, to=_rule)


@routes.put("/v1/sla-policies/{id}", allow=WRITERS)
async def put_sla_policy(id: Slug, body: SlaPolicyIn, session: Session, now: Now) -> SlaPolicyOut:
    await _require(session, CalendarDocument, body.calendar, pointer="/body/calendar")
    document = body.model_dump(mode="json")
    return _policy(await put_document(session, SlaPolicyDocument, id, document, now=now))


@routes.get("/v1/sla-policies/{id}", allow=EVERYBODY)
async def get_sla_policy(id: Slug, session: Session) -> SlaPolicyOut:
    return _policy(await _found(session, SlaPolicyDocument, id))


@routes.get("/v1/sla-policies", allow=EVERYBODY)
async def list_sla_policies(session: Session, page: Paging) -> Listing[SlaPolicyOut]:
    statement = newest(SlaPolicyDocument)
    return await listing(session, statement, by=[SlaPolicyDocument.id], page=page, to=_policy)


@routes.put("/v1/calendars/{id}", allow=WRITERS)
async def put_calendar(id: Slug, body: CalendarIn, session: Session, now: Now) -> CalendarOut:
    document = body.model_dump(mode="json")
    return _calendar(await put_document(session, CalendarDocument, id, document, now=now))


@routes.get("/v1/calendars/{id}", allow=EVERYBODY)
async def get_calendar(id: Slug, session: Session) -> CalendarOut:
    return _calendar(await _found(session, CalendarDocument, id))


@routes.get("/v1/calendars", allow=EVERYBODY)
async def list_calendars(session: Session, page: Paging) -> Listing[CalendarOut]:
    statement = newest(CalendarDocument)
    return await listing(session, statement, by=[CalendarDocument.id], page=page, to=_calendar)


async def _found(session: AsyncSession, table: type[D], id: str) -> D:
    row = await current_document(session, table, id)
    if row is None:
        raise NotFound(f"There is no {table.__tablename__.replace('_', ' ')} {id}.")
    return row


async def _require(session: AsyncSession, table: type[D], id: str, *, pointer: str) -> None:
    if await current_document(session, table, id) is None:
        raise Invalid(f"There is no {table.__tablename__.replace('_', ' ')} {id}.", pointer=pointer)


def _rule(row: AlertRuleDocument) -> AlertRuleOut:
    return AlertRuleOut(id=row.id, version=row.version, **row.document)


def _policy(row: SlaPolicyDocument) -> SlaPolicyOut:
    return SlaPolicyOut(id=row.id, version=row.version, **row.document)


def _calendar(row: CalendarDocument) -> CalendarOut:
    return CalendarOut(id=row.id, version=row.version, **row.document)
