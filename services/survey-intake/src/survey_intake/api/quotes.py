"""Customers' words that may be quoted: for the service that shares wins, and never without consent."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.web import Answer, Routes, Session
from survey_intake.api.resource import Intake
from survey_intake.service.personal import personal_of
from survey_intake.service.publishing import state_of
from survey_intake.tables import Response

routes = Routes(tag="responses")


class QuoteOut(Answer):
    response_id: UUID
    quote: str


class Quotes(Answer):
    items: list[QuoteOut]


@routes.get("/v1/quotes", allow=roles(Role.SERVICE))
async def list_quotes(
    response_id: Annotated[list[UUID], Query(min_length=1, max_length=100)], session: Session, intake: Intake
) -> Quotes:
    """The comments of those of these responses whose newest revision says that it may be quoted."""
    found = await session.scalars(select(Response).where(Response.id.in_(response_id)).order_by(Response.id))
    items = []
    for response in found:
        if response.status != "active" or not state_of(response).facts.consent_quote:
            continue
        personal = await personal_of(session, response, intake.keyring.vault)
        if personal.comment:
            items.append(QuoteOut(response_id=response.id, quote=personal.comment))
    return Quotes(items=items)
