"""Questions about a statement."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from bonus.service.inquiries import ask, visible_to
from bonus.tables import Inquiry
from fairloop.auth import Role, roles
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="inquiries")


class InquiryIn(Body):
    period: Slug
    employee: Slug
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class InquiryOut(Answer):
    id: UUID
    period: str
    employee: str
    text: str
    asked_by: str
    asked_at: datetime


@routes.post(
    "/v1/inquiries", allow=roles(Role.EMPLOYEE, Role.MANAGER, Role.FINANCE, Role.ADMIN), status_code=201
)
async def post_inquiry(body: InquiryIn, session: Session, caller: Caller, now: Now) -> InquiryOut:
    inquiry = await ask(
        session, period=body.period, employee=body.employee, text=body.text, caller=caller, now=now
    )
    return InquiryOut.model_validate(inquiry)


@routes.get("/v1/inquiries", allow=roles(Role.EMPLOYEE, Role.MANAGER, Role.FINANCE, Role.ADMIN))
async def get_inquiries(session: Session, caller: Caller, page: Paging) -> Listing[InquiryOut]:
    """Everybody's for those who answer them, else one's own."""
    return await listing(
        session, visible_to(caller), by=[Inquiry.id], page=page, to=InquiryOut.model_validate, descending=True
    )
