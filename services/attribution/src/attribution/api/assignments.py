"""Assignments: who works where as what, in [from, to)."""

from datetime import date
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import select

from attribution.api.asked import WRITERS, At
from attribution.service import directory
from attribution.service.visibility import sight_of
from attribution.tables import AssignmentRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Caller, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="directory")

_EVERYTHING = WRITERS | roles(Role.SERVICE)
_READERS = _EVERYTHING | roles(Role.MANAGER, Role.EMPLOYEE)

From = Annotated[date, Field(alias="from")]
To = Annotated[date | None, Field(alias="to", description="exclusive")]


class AssignmentIn(Body):
    employee: Slug
    role: Slug
    org_unit: Slug
    valid_from: From
    valid_to: To = None

    @field_validator("valid_to")
    @classmethod
    def _ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("valid_from")
        if value is not None and begins is not None and value <= begins:
            raise ValueError("'to' is exclusive and comes after 'from'")
        return value

    def row(self, id: str) -> AssignmentRow:
        return AssignmentRow(
            id=id,
            employee=self.employee,
            role=self.role,
            org_unit=self.org_unit,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class AssignmentOut(Answer):
    id: str
    employee: str
    role: str
    org_unit: str
    valid_from: From
    valid_to: To
    version: int


@routes.put("/v1/assignments/{id}", allow=WRITERS)
async def put_assignment(id: Slug, body: AssignmentIn, session: Session, at: At) -> AssignmentOut:
    """Create or replace an assignment; responses about this person's work are attributed again."""
    return AssignmentOut.model_validate(await directory.put(session, body.row(id), at=at))


@routes.get("/v1/assignments/{id}", allow=_READERS)
async def get_assignment(id: Slug, session: Session, caller: Caller) -> AssignmentOut:
    sight = await sight_of(session, caller, everything=_EVERYTHING)
    row = await session.get(AssignmentRow, id)
    if row is None or not sight.sees_person(row.employee):
        raise NotFound(f"No assignment {id}.")
    return AssignmentOut.model_validate(row)


@routes.get("/v1/assignments", allow=_READERS)
async def list_assignments(
    session: Session, caller: Caller, page: Paging, employee: Slug | None = None
) -> Listing[AssignmentOut]:
    sight = await sight_of(session, caller, everything=_EVERYTHING)
    rows = select(AssignmentRow)
    if employee is not None:
        rows = rows.where(AssignmentRow.employee == employee)
    if not sight.everything:
        rows = rows.where(AssignmentRow.employee.in_(sight.employees))
    return await listing(session, rows, by=[AssignmentRow.id], page=page, to=AssignmentOut.model_validate)
