"""The smallest service with everything the web layer promises: a list, a command, a problem of each kind."""

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop.auth import Role, roles
from fairloop.db import sql
from fairloop.errors import Conflict, NotFound
from fairloop.service import Service
from fairloop.settings import ServiceSettings
from fairloop.tables import add_runtime_tables
from fairloop.web import Answer, Body, Listing, Now, Paging, Routes, Session, Slug, listing


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"

    id: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


add_runtime_tables(Base.metadata)

routes = Routes(tag="things")
ADMIN = roles(Role.ADMIN)


class ThingIn(Body):
    count: int


class ThingOut(Answer):
    id: str
    count: int


@routes.put("/v1/things/{id}", allow=ADMIN)
async def put_thing(id: Slug, body: ThingIn, session: Session, now: Now) -> ThingOut:
    thing = await session.merge(Thing(id=id, count=body.count))
    return ThingOut.model_validate(thing)


@routes.get("/v1/things", allow=ADMIN)
async def list_things(session: Session, page: Paging) -> Listing[ThingOut]:
    return await listing(session, select(Thing), by=[Thing.id], page=page, to=ThingOut.model_validate)


@routes.post("/v1/things/{id}/count", allow=ADMIN, status_code=201)
async def count_thing(id: Slug, session: Session) -> ThingOut:
    rows = await sql(session, "UPDATE thing SET count = count + 1 WHERE id = $1 RETURNING id, count", id)
    if not rows:
        raise NotFound(f"There is no thing {id}.")
    if rows[0].count > 100:
        raise Conflict("Nobody counts further than 100.")
    return ThingOut(id=rows[0].id, count=rows[0].count)


@routes.post("/v1/things/break", allow=ADMIN)
async def break_things(session: Session) -> None:
    raise RuntimeError("the inside of the service")


service = Service(
    name="things", package="fairloop", settings=ServiceSettings, metadata=Base.metadata, routes=[routes]
)
