"""Disputes about one person's part in one response."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Paragraph
from attribution.domain.disputes import Kind, State
from attribution.service import disputes
from attribution.service.visibility import sight_of
from attribution.tables import DisputeRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Caller, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="disputes")

_READ_ALL = WRITERS | roles(Role.ANALYST, Role.WORKS_COUNCIL, Role.SERVICE)
_DECIDERS = WRITERS | roles(Role.MANAGER)
_FILERS = _DECIDERS | roles(Role.EMPLOYEE)


class DisputeIn(Body):
    response_id: UUID
    employee: Slug
    kind: Kind
    reason: Annotated[Paragraph, Field(min_length=1)]


class DecisionIn(Body):
    uphold: bool
    reason: Annotated[Paragraph, Field(min_length=1)]
    corrected_interaction: Slug | None = None


class DisputeOut(Answer):
    id: UUID
    response_id: UUID
    employee: str
    kind: Kind
    reason: str
    status: Annotated[State, Field(validation_alias="state")]
    filed_by: str
    filed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    corrected_interaction: str | None


@routes.post("/v1/disputes", allow=_FILERS, status_code=201)
async def post_dispute(body: DisputeIn, session: Session, caller: Caller, at: At) -> DisputeOut:
    """Claim an error: people for themselves, managers for their people, administrators for anybody."""
    sight = await sight_of(session, caller, everything=WRITERS)
    row = await disputes.file(
        session,
        response_id=body.response_id,
        employee=body.employee,
        kind=body.kind,
        reason=body.reason,
        caller=caller,
        sight=sight,
        at=at,
    )
    return DisputeOut.model_validate(row)


@routes.get("/v1/disputes", allow=_READ_ALL | _FILERS)
async def list_disputes(
    *,
    session: Session,
    caller: Caller,
    page: Paging,
    response_id: UUID | None = None,
    employee: Slug | None = None,
    status: State | None = None,
) -> Listing[DisputeOut]:
    """Newest first."""
    sight = await sight_of(session, caller, everything=_READ_ALL)
    rows = select(DisputeRow)
    if response_id is not None:
        rows = rows.where(DisputeRow.response_id == response_id)
    if employee is not None:
        rows = rows.where(DisputeRow.employee == employee)
    if status is not None:
        rows = rows.where(DisputeRow.state == status)
    if not sight.everything:
        rows = rows.where(DisputeRow.employee.in_(sight.employees))
    return await listing(
        session, rows, by=[DisputeRow.id], page=page, to=DisputeOut.model_validate, descending=True
    )


@routes.get("/v1/disputes/{id}", allow=_READ_ALL | _FILERS)
async def get_dispute(id: UUID, session: Session, caller: Caller) -> DisputeOut:
    sight = await sight_of(session, caller, everything=_READ_ALL)
    row = await session.get(DisputeRow, id)
    if row is None or not sight.sees_person(row.employee):
        raise NotFound(f"No dispute {id}.")
    return DisputeOut.model_validate(row)


@routes.post("/v1/disputes/{id}/decide", allow=_DECIDERS)
async def decide_dispute(id: UUID, body: DecisionIn, session: Session, caller: Caller, at: At) -> DisputeOut:
    """Uphold or reject, once, and never one's own."""
    sight = await sight_of(session, caller, everything=WRITERS)
    ruling = disputes.Ruling(body.uphold, body.reason, body.corrected_interaction)
    row = await disputes.decide(session, id, ruling, caller=caller, sight=sight, at=at)
    return DisputeOut.model_validate(row)
