"""Cases and what is done to them."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.api.playbooks import playbook_of
from closed_loop.api.shapes import (
    CaseDetail,
    CaseOut,
    ContactIn,
    NoteIn,
    PauseIn,
    ReassignIn,
    ResolveIn,
    case_detail,
    case_out,
)
from closed_loop.domain import commands
from closed_loop.domain.alerts import Track
from closed_loop.domain.case import Status
from closed_loop.domain.routing import subtree
from closed_loop.service.cases import case_of
from closed_loop.service.commands import check_owner, command
from closed_loop.service.directory import load_parents
from closed_loop.service.playbooks import outcomes_by_track
from closed_loop.service.visibility import load_sight
from closed_loop.tables import CaseEventRow, CaseNoteRow, CaseRow, NotificationRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Caller, Listing, Now, Paging, Routes, Session, listing

routes = Routes(tag="cases")
READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.EMPLOYEE, Role.WORKS_COUNCIL)
ACTORS = roles(Role.ADMIN, Role.OPS, Role.MANAGER, Role.EMPLOYEE)


class Wanted(BaseModel):
    """The cases a list is asked for; `org_unit` means this unit and those below it."""

    status: Status | None = None
    owner: str | None = None
    org_unit: str | None = None
    breached: bool | None = None
    track: Track | None = None
    alert_rule: str | None = None
    result: str | None = None
    response_id: UUID | None = None

    async def narrow(self, session: AsyncSession, cases: Select[CaseRow]) -> Select[CaseRow]:
        """The statement with these conditions added."""
        if self.status is not None:
            cases = cases.where(CaseRow.status == self.status)
        if self.owner is not None:
            cases = cases.where(CaseRow.owner == self.owner)
        if self.org_unit is not None:
            units = subtree(await load_parents(session), [self.org_unit])
            cases = cases.where(CaseRow.org_unit.in_(units))
        if self.track is not None:
            cases = cases.where(CaseRow.state["track"].astext == self.track)
        if self.alert_rule is not None:
            cases = cases.where(CaseRow.alert_rule == self.alert_rule)
        if self.result is not None:
            cases = cases.where(CaseRow.state["result"].astext == self.result)
        if self.breached is not None:
            cases = cases.where(CaseRow.breached == self.breached)
        if self.response_id is not None:
            cases = cases.where(CaseRow.response_id == self.response_id)
        return cases


@routes.get("/v1/cases", allow=READERS)
async def list_cases(
    wanted: Annotated[Wanted, Query()], session: Session, caller: Caller, page: Paging
) -> Listing[CaseOut]:
    """The cases the caller may see, the oldest first."""
    visible = select(CaseRow).where((await load_sight(session, caller)).condition())
    statement = await wanted.narrow(session, visible)
    by = [CaseRow.opened_at, CaseRow.id]
    return await listing(session, statement, by=by, page=page, to=lambda row: case_out(case_of(row)))


@routes.get("/v1/cases/{id}", allow=READERS)
async def get_case(id: UUID, session: Session, caller: Caller) -> CaseDetail:
    sight = await load_sight(session, caller)
    row = await session.get(CaseRow, id)
    if row is None or not sight.sees(case_of(row)):
        raise NotFound("There is no such case.")
    return await _detail(session, row, texts=sight.reads(case_of(row)))


@routes.post("/v1/cases/{id}/acknowledge", allow=ACTORS)
async def acknowledge(id: UUID, session: Session, caller: Caller, now: Now) -> CaseOut:
    return case_out(await command(session, id, commands.acknowledge, caller=caller, now=now))


@routes.post("/v1/cases/{id}/contact", allow=ACTORS)
async def contact(id: UUID, body: ContactIn, session: Session, caller: Caller, now: Now) -> CaseOut:
    contacted = partial(commands.contact, method=body.method, note=body.note)
    return case_out(await command(session, id, contacted, caller=caller, now=now))


@routes.post("/v1/cases/{id}/pause", allow=ACTORS)
async def pause(id: UUID, body: PauseIn, session: Session, caller: Caller, now: Now) -> CaseOut:
    paused = partial(commands.pause, reason=body.reason)
    return case_out(await command(session, id, paused, caller=caller, now=now))


@routes.post("/v1/cases/{id}/resume", allow=ACTORS)
async def resume(id: UUID, session: Session, caller: Caller, now: Now) -> CaseOut:
    return case_out(await command(session, id, commands.resume, caller=caller, now=now))


@routes.post("/v1/cases/{id}/resolve", allow=ACTORS)
async def resolve(id: UUID, body: ResolveIn, session: Session, caller: Caller, now: Now) -> CaseOut:
    resolved = partial(
        commands.resolve,
        documentation=body.model_dump(exclude_none=True, exclude={"result"}),
        result=body.result,
        outcomes=await outcomes_by_track(session),
    )
    return case_out(await command(session, id, resolved, caller=caller, now=now))


@routes.post("/v1/cases/{id}/close", allow=ACTORS)
async def close(id: UUID, session: Session, caller: Caller, now: Now) -> CaseOut:
    return case_out(await command(session, id, commands.close, caller=caller, now=now))


@routes.post("/v1/cases/{id}/reopen", allow=ACTORS)
async def reopen(id: UUID, session: Session, caller: Caller, now: Now) -> CaseOut:
    return case_out(await command(session, id, commands.reopen, caller=caller, now=now))


@routes.post("/v1/cases/{id}/reassign", allow=ACTORS)
async def reassign(id: UUID, body: ReassignIn, session: Session, caller: Caller, now: Now) -> CaseOut:
    await check_owner(session, body.owner)
    reassigned = partial(commands.reassign, owner=body.owner)
    return case_out(await command(session, id, reassigned, caller=caller, now=now))


@routes.post("/v1/cases/{id}/escalate", allow=ACTORS)
async def escalate(id: UUID, session: Session, caller: Caller, now: Now) -> CaseOut:
    return case_out(await command(session, id, commands.escalate, caller=caller, now=now))


@routes.post("/v1/cases/{id}/note", allow=ACTORS)
async def note(id: UUID, body: NoteIn, session: Session, caller: Caller, now: Now) -> CaseOut:
    noted = partial(commands.add_note, text=body.text)
    return case_out(await command(session, id, noted, caller=caller, now=now))


async def _detail(session: AsyncSession, row: CaseRow, *, texts: bool) -> CaseDetail:
    history = select(CaseEventRow).where(CaseEventRow.case_id == row.id).order_by(CaseEventRow.id)
    notes = select(CaseNoteRow).where(CaseNoteRow.case_id == row.id).order_by(CaseNoteRow.id)
    notified = select(NotificationRow).where(NotificationRow.case_id == row.id).order_by(NotificationRow.id)
    case = case_of(row)
    return case_detail(
        case,
        playbook=await playbook_of(session, case.track),
        history=(await session.scalars(history)).all(),
        notes=(await session.scalars(notes)).all(),
        notifications=(await session.scalars(notified)).all(),
        texts=texts,
    )
