"""The queue of responses that no interaction is known for, and matching one by hand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from attribution.api.asked import WRITERS, At
from attribution.api.attributions import AttributionOut, read
from attribution.service import responses
from attribution.tables import ResponseRow
from fairloop.web import Answer, Body, Caller, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="unmatched")


class UnmatchedOut(Answer):
    response_id: UUID
    status: str
    interaction_ref: str | None
    customer: str | None
    connection: str
    survey_id: str
    day: date
    submitted_at: datetime
    causes: list[dict[str, Any]]
    segments: dict[str, str]


def _out(row: ResponseRow) -> UnmatchedOut:
    return UnmatchedOut(
        response_id=row.response_id,
        status=row.status,
        interaction_ref=row.interaction_ref,
        customer=row.customer,
        connection=row.facts["connection"],
        survey_id=row.facts["survey_id"],
        day=row.facts["day"],
        submitted_at=row.facts["submitted_at"],
        causes=row.facts["causes"],
        segments=row.facts["segments"],
    )


@routes.get("/v1/unmatched", allow=WRITERS)
async def list_unmatched(session: Session, page: Paging) -> Listing[UnmatchedOut]:
    """`pending` names an interaction that is not known yet, `unmatched` names none."""
    waiting = select(ResponseRow).where(ResponseRow.status.in_(responses.UNMATCHED))
    return await listing(session, waiting, by=[ResponseRow.response_id], page=page, to=_out)


class ResolveIn(Body):
    interaction: Slug


@routes.post("/v1/unmatched/{response_id}/resolve", allow=WRITERS, response_model_exclude_unset=True)
async def resolve_unmatched(
    response_id: UUID, body: ResolveIn, session: Session, caller: Caller, at: At
) -> AttributionOut:
    """Match by hand. The customers must still agree for the participants to be verified."""
    await responses.resolve(session, response_id, body.interaction, at=at)
    return await read(session, response_id, caller=caller)
