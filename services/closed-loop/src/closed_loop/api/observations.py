"""Who was seen to show an expected behaviour, or not to."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field
from sqlalchemy import select

from closed_loop.api.coaching_act import Acting
from closed_loop.service import coaching
from closed_loop.tables_coaching import ObservationRow
from fairloop.auth import Role, roles
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing
from fairloop.web.models import Instant

routes = Routes(tag="coaching")

READERS = roles(Role.ADMIN, Role.MANAGER, Role.EMPLOYEE)
OBSERVERS = roles(Role.ADMIN, Role.MANAGER)
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class ObservationIn(Body):
    """`observed_at`: now when left out. `note` is read by the observed person too."""

    employee: Slug
    behaviour: Slug
    shown: bool
    observed_at: Instant | None = None
    note: Text | None = None


class WithdrawalIn(Body):
    reason: Text


class ReplyIn(Body):
    text: Text


class ObservationOut(Answer):
    """Withdrawn, it counts no more. `reply` is what the observed person says."""

    id: UUID
    employee: str
    behaviour: str
    shown: bool
    note: str | None
    observed_on: date
    observed_by: str
    recorded_at: datetime
    reply: str | None
    replied_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_because: str | None


@routes.post("/v1/observations", allow=OBSERVERS, status_code=201)
async def post_observation(
    body: ObservationIn, request: Request, session: Session, act: Acting
) -> ObservationOut:
    """Managers observe the people of their subtree."""
    zone = request.app.state.runtime.settings.zone
    row = coaching.new_observation(
        employee=body.employee,
        behaviour=body.behaviour,
        shown=body.shown,
        note=body.note,
        on=(body.observed_at or act.now).astimezone(zone).date(),
        act=act,
    )
    return ObservationOut.model_validate(await coaching.observe(session, row, act))


@routes.post("/v1/observations/{id}/withdraw", allow=OBSERVERS)
async def withdraw(id: UUID, body: WithdrawalIn, session: Session, act: Acting) -> ObservationOut:
    return ObservationOut.model_validate(await coaching.withdraw(session, id, reason=body.reason, act=act))


@routes.post("/v1/observations/{id}/reply", allow=roles(Role.EMPLOYEE, Role.MANAGER))
async def reply(id: UUID, body: ReplyIn, session: Session, act: Acting) -> ObservationOut:
    """By the observed person, once."""
    return ObservationOut.model_validate(await coaching.reply(session, id, text=body.text, act=act))


@routes.get("/v1/observations/{id}", allow=READERS)
async def get_observation(id: UUID, session: Session, act: Acting) -> ObservationOut:
    return ObservationOut.model_validate(await coaching.visible_observation(session, id, act.sight))


@routes.get("/v1/observations", allow=READERS)
async def list_observations(
    session: Session, act: Acting, page: Paging, employee: Slug | None = None
) -> Listing[ObservationOut]:
    """Newest first: of oneself; for managers of their people too."""
    statement = select(ObservationRow).where(act.sight.condition(ObservationRow.employee))
    if employee is not None:
        statement = statement.where(ObservationRow.employee == employee)
    return await listing(
        session,
        statement,
        by=[ObservationRow.id],
        page=page,
        to=ObservationOut.model_validate,
        descending=True,
    )
