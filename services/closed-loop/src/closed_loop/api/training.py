"""Who completed what."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Request
from pydantic import Field, model_validator
from sqlalchemy import select

from closed_loop.api.coaching_act import Acting
from closed_loop.service.coaching import put_training as save_training
from closed_loop.tables_coaching import TrainingRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing
from fairloop.web.models import Instant

routes = Routes(tag="coaching")

READERS = roles(Role.ADMIN, Role.MANAGER, Role.EMPLOYEE)


class TrainingIn(Body):
    """A course, training in a behaviour, or a course that trains a behaviour."""

    employee: Slug
    course: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    behaviour: Slug | None = None
    completed_at: Instant

    @model_validator(mode="after")
    def _about_something(self) -> "TrainingIn":
        if self.course is None and self.behaviour is None:
            raise ValueError("training is in a behaviour, a course, or both")
        return self


class TrainingOut(Answer):
    """`completed_on` is the local date."""

    id: str
    employee: str
    course: str | None
    behaviour: str | None
    completed_on: date
    recorded_by: str
    recorded_at: datetime


@routes.put("/v1/trainings/{id}", allow=roles(Role.ADMIN, Role.MANAGER))
async def put_training(
    id: Slug, body: TrainingIn, request: Request, session: Session, act: Acting
) -> TrainingOut:
    """Managers record it for the people of their subtree."""
    row = TrainingRow(
        id=id,
        employee=body.employee,
        course=body.course,
        behaviour=body.behaviour,
        completed_on=body.completed_at.astimezone(request.app.state.runtime.settings.zone).date(),
        recorded_by=act.name,
        recorded_at=act.now,
    )
    return TrainingOut.model_validate(await save_training(session, row, act))


@routes.get("/v1/trainings/{id}", allow=READERS)
async def get_training(id: Slug, session: Session, act: Acting) -> TrainingOut:
    row = await session.get(TrainingRow, id)
    if row is None or not act.sight.sees(row.employee):
        raise NotFound(f"There is no training {id} that you may see.")
    return TrainingOut.model_validate(row)


@routes.get("/v1/trainings", allow=READERS)
async def list_trainings(
    session: Session, act: Acting, page: Paging, employee: Slug | None = None
) -> Listing[TrainingOut]:
    """One's own; for managers their people's too."""
    statement = select(TrainingRow).where(act.sight.condition(TrainingRow.employee))
    if employee is not None:
        statement = statement.where(TrainingRow.employee == employee)
    return await listing(session, statement, by=[TrainingRow.id], page=page, to=TrainingOut.model_validate)
