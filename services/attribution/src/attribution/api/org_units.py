"""Org units and roles."""

from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Line
from attribution.service import directory
from attribution.tables import OrgUnitRow, RoleRow
from fairloop.auth import EVERYBODY
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="directory")


class OrgUnitIn(Body):
    name: Line
    parent: Slug | None = None

    def row(self, id: str) -> OrgUnitRow:
        return OrgUnitRow(id=id, name=self.name, parent=self.parent)


class OrgUnitOut(Answer):
    id: str
    name: str
    parent: str | None
    version: int


@routes.put("/v1/org-units/{id}", allow=WRITERS)
async def put_org_unit(id: Slug, body: OrgUnitIn, session: Session, at: At) -> OrgUnitOut:
    """Create or replace a unit. A parent may come later; a unit below itself is refused."""
    return OrgUnitOut.model_validate(await directory.put(session, body.row(id), at=at))


@routes.get("/v1/org-units/{id}", allow=EVERYBODY)
async def get_org_unit(id: Slug, session: Session) -> OrgUnitOut:
    row = await session.get(OrgUnitRow, id)
    if row is None:
        raise NotFound(f"No org unit {id}.")
    return OrgUnitOut.model_validate(row)


@routes.get("/v1/org-units", allow=EVERYBODY)
async def list_org_units(session: Session, page: Paging) -> Listing[OrgUnitOut]:
    return await listing(
        session, select(OrgUnitRow), by=[OrgUnitRow.id], page=page, to=OrgUnitOut.model_validate
    )


class RoleIn(Body):
    name: Line
    customer_facing: bool = True

    def row(self, id: str) -> RoleRow:
        return RoleRow(id=id, name=self.name, customer_facing=self.customer_facing)


class RoleOut(Answer):
    id: str
    name: str
    customer_facing: bool
    version: int


@routes.put("/v1/roles/{id}", allow=WRITERS)
async def put_role(id: Slug, body: RoleIn, session: Session, at: At) -> RoleOut:
    return RoleOut.model_validate(await directory.put(session, body.row(id), at=at))


@routes.get("/v1/roles/{id}", allow=EVERYBODY)
async def get_role(id: Slug, session: Session) -> RoleOut:
    row = await session.get(RoleRow, id)
    if row is None:
        raise NotFound(f"No role {id}.")
    return RoleOut.model_validate(row)


@routes.get("/v1/roles", allow=EVERYBODY)
async def list_roles(session: Session, page: Paging) -> Listing[RoleOut]:
    return await listing(session, select(RoleRow), by=[RoleRow.id], page=page, to=RoleOut.model_validate)
