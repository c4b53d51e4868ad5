"""What is expected of a role."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from closed_loop.service.coaching import behaviour_of
from closed_loop.service.coaching import put_behaviour as save_behaviour
from closed_loop.tables_coaching import BehaviourRow
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Body, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="coaching")


class BehaviourIn(Body):
    """Not `active`: nobody is observed or trained in it any more; what was observed stays."""

    role: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=4000)] | None = None
    active: bool = True


class BehaviourOut(Answer):
    id: str
    role: str
    name: str
    description: str | None
    active: bool
    changed_at: datetime


@routes.put("/v1/behaviours/{id}", allow=roles(Role.ADMIN, Role.OPS))
async def put_behaviour(id: Slug, body: BehaviourIn, session: Session, now: Now) -> BehaviourOut:
    row = BehaviourRow(id=id, changed_at=now, **body.model_dump())
    return BehaviourOut.model_validate(await save_behaviour(session, row))


@routes.get("/v1/behaviours/{id}", allow=EVERYBODY)
async def get_behaviour(id: Slug, session: Session) -> BehaviourOut:
    return BehaviourOut.model_validate(await behaviour_of(session, id))


@routes.get("/v1/behaviours", allow=EVERYBODY)
async def list_behaviours(session: Session, page: Paging, role: Slug | None = None) -> Listing[BehaviourOut]:
    """By id; of one role or of all."""
    statement = select(BehaviourRow)
    if role is not None:
        statement = statement.where(BehaviourRow.role == role)
    return await listing(session, statement, by=[BehaviourRow.id], page=page, to=BehaviourOut.model_validate)
