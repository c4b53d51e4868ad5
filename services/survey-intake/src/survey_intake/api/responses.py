"""Responses: read, find, delete."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Listing, Paging, ProblemOut, Routes, Session, listing
from survey_intake.api.resource import Intake
from survey_intake.service.personal import personal_of
from survey_intake.service.publishing import state_of
from survey_intake.service.retracting import delete_response, find
from survey_intake.tables import Response

routes = Routes(tag="responses")

READERS = roles(
    Role.ADMIN, Role.OPS, Role.MANAGER, Role.ANALYST, Role.FINANCE, Role.WORKS_COUNCIL, Role.SERVICE
)
SEE_PERSONS = (Role.ADMIN, Role.OPS)
"""Not managers: which customers are their subtree's, only attribution knows."""


class CauseOut(Answer):
    level1: str
    level2: str | None = None


class ConsentOut(Answer):
    quote: bool


class ResponseOut(Answer):
    """`revision` is the one shown, `revisions` how many are stored, `version` the state published last.

    `day` is the local date it counts on. Of a deleted or erased response the answers are gone.
    """

    response_id: UUID
    connection: str
    survey_id: str
    external_id: str
    status: str
    version: int
    revision: int
    revisions: int
    survey_type: str
    taxonomy: str | None
    day: date
    submitted_at: datetime
    updated_at: datetime
    received_at: datetime
    scores: dict[str, int | None]
    ratings: dict[str, int]
    causes: list[CauseOut]
    segments: dict[str, str]
    consent: ConsentOut
    language: str | None
    interaction_ref: str | None
    has_comment: bool
    warnings: list[ProblemOut]


class CustomerOut(Answer):
    ref: str | None
    name: str | None
    email: str | None
    phone: str | None


class FullResponseOut(ResponseOut):
    """`comment` and `customer` are there only for callers who may see them."""

    comment: str | None = None
    customer: CustomerOut | None = None


class DeletedOut(Answer):
    response_id: UUID
    status: str
    version: int


def _fields(response: Response) -> dict[str, Any]:
    state = state_of(response)
    facts = state.facts
    return {
        **msgspec.to_builtins(facts),
        "response_id": response.id,
        "external_id": response.external_id,
        "status": response.status,
        "version": response.version,
        "revision": response.current,
        "revisions": response.revisions,
        "scores": msgspec.structs.asdict(facts.scores),
        "consent": ConsentOut(quote=facts.consent_quote),
        "interaction_ref": state.interaction_ref,
        "warnings": response.shown.warnings,
    }


@routes.get("/v1/responses/{id}", allow=READERS, response_model_exclude_unset=True)
async def get_response(id: UUID, session: Session, caller: Caller, intake: Intake) -> FullResponseOut:
    response = await find(session, id)
    if not caller.has(*SEE_PERSONS):
        return FullResponseOut(**_fields(response))
    personal = await personal_of(session, response, intake.keyring.vault)
    customer = personal.customer and CustomerOut.model_validate(personal.customer)
    return FullResponseOut(**_fields(response), comment=personal.comment, customer=customer)


@routes.get("/v1/responses", allow=READERS)
async def list_responses(
    session: Session,
    page: Paging,
    connection: str | None = None,
    survey_id: str | None = None,
    external_id: str | None = None,
) -> Listing[ResponseOut]:
    query = select(Response)
    for column, wanted in (
        (Response.connection, connection),
        (Response.survey_id, survey_id),
        (Response.external_id, external_id),
    ):
        query = query if wanted is None else query.where(column == wanted)
    return await listing(
        session, query, by=[Response.id], page=page, to=lambda response: ResponseOut(**_fields(response))
    )


@routes.delete("/v1/responses/{id}", allow=roles(Role.ADMIN, Role.OPS))
async def delete(id: UUID, session: Session) -> DeletedOut:
    """A wrong or test response: retracted everywhere, and later deliveries for it are ignored."""
    response = await delete_response(session, id)
    return DeletedOut(response_id=response.id, status=response.status, version=response.version)
