"""Employees. Names and e-mails stay in this service."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Line
from attribution.service import directory
from attribution.service.visibility import sight_of
from attribution.tables import EmployeeRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Caller, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="directory")

_EVERYTHING = WRITERS | roles(Role.SERVICE)
_READERS = _EVERYTHING | roles(Role.MANAGER, Role.EMPLOYEE)


class EmployeeIn(Body):
    name: Line
    email: Annotated[Line | None, Field(description="stays in this service")] = None
    manager: Slug | None = None
    level: Line | None = None
    calendar: Slug | None = None
    active: bool = True
    external_ids: Annotated[dict[Line, Line], Field(default_factory=dict)]

    def row(self, id: str) -> EmployeeRow:
        return EmployeeRow(
            id=id,
            name=self.name,
            email=self.email,
            manager=self.manager,
            level=self.level,
            calendar=self.calendar,
            active=self.active,
            external_ids=self.external_ids,
        )


class EmployeeOut(Answer):
    id: str
    name: str
    email: str | None
    manager: str | None
    level: str | None
    calendar: str | None
    active: bool
    external_ids: dict[str, str]
    version: int


@routes.put("/v1/employees/{id}", allow=WRITERS)
async def put_employee(id: Slug, body: EmployeeIn, session: Session, at: At) -> EmployeeOut:
    return EmployeeOut.model_validate(await directory.put(session, body.row(id), at=at))


@routes.get("/v1/employees/{id}", allow=_READERS)
async def get_employee(id: Slug, session: Session, caller: Caller) -> EmployeeOut:
    """People see themselves, managers the people of their units."""
    sight = await sight_of(session, caller, everything=_EVERYTHING)
    row = await session.get(EmployeeRow, id)
    if row is None or not sight.sees_person(id):
        raise NotFound(f"No employee {id}.")
    return EmployeeOut.model_validate(row)


@routes.get("/v1/employees", allow=_READERS)
async def list_employees(session: Session, caller: Caller, page: Paging) -> Listing[EmployeeOut]:
    sight = await sight_of(session, caller, everything=_EVERYTHING)
    rows = select(EmployeeRow)
    if not sight.everything:
        rows = rows.where(EmployeeRow.id.in_(sight.employees))
    return await listing(session, rows, by=[EmployeeRow.id], page=page, to=EmployeeOut.model_validate)
