"""Deliveries nobody understood: look, repair the mapping, try again or give up."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Listing, Now, Paging, ProblemOut, Routes, Session, listing
from survey_intake.api.posting import DeliveryOut
from survey_intake.api.resource import Intake
from survey_intake.service import quarantine
from survey_intake.tables import Quarantined

routes = Routes(tag="quarantine")

OPERATORS = roles(Role.ADMIN, Role.OPS)


class QuarantinedOut(Answer):
    """`seen`: how often the same body came. The body itself is never shown; `errors` say where to look."""

    id: UUID
    connection: str
    received_at: datetime
    status: str
    seen: int
    errors: list[ProblemOut]
    response_id: UUID | None
    settled_at: datetime | None
    settled_by: str | None


@routes.get("/v1/quarantine", allow=OPERATORS)
async def list_quarantine(
    session: Session,
    page: Paging,
    connection: str | None = None,
    status: Literal["open", "released", "discarded", "erased"] = "open",
) -> Listing[QuarantinedOut]:
    query = select(Quarantined).where(Quarantined.status == status)
    if connection is not None:
        query = query.where(Quarantined.connection == connection)
    return await listing(session, query, by=[Quarantined.id], page=page, to=QuarantinedOut.model_validate)


@routes.post("/v1/quarantine/{id}/retry", allow=OPERATORS)
async def retry(id: UUID, session: Session, intake: Intake, caller: Caller, now: Now) -> DeliveryOut:
    receipt = await quarantine.retry(
        session, id, now=now, by=caller.sub, day_zone=intake.settings.zone, keyring=intake.keyring
    )
    return DeliveryOut.model_validate(receipt)


@routes.post("/v1/quarantine/{id}/discard", allow=OPERATORS)
async def discard(id: UUID, session: Session, caller: Caller, now: Now) -> QuarantinedOut:
    return QuarantinedOut.model_validate(await quarantine.discard(session, id, now=now, by=caller.sub))
