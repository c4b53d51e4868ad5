"""Action plans: from what drives a figure to what is done about it, and to what came of it."""

from uuid import UUID

from fastapi import Request
from sqlalchemy import select

from closed_loop.api.action_plan_body import (
    ActionPlanDetail,
    ActionPlanIn,
    ActionPlanOut,
    plan_detail,
    plan_out,
)
from closed_loop.domain.action_plan import Stage
from closed_loop.service.action_plans import get_plan, put_plan, visible
from closed_loop.service.reminders import reminders_of
from closed_loop.tables import ActionPlanRow
from fairloop.auth import Role, roles
from fairloop.web import Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="action plans")
WRITERS = roles(Role.ADMIN, Role.OPS, Role.MANAGER)
READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.EMPLOYEE)


@routes.put("/v1/action-plans/{id}", allow=WRITERS)
async def put_action_plan(
    *, request: Request, id: Slug, body: ActionPlanIn, session: Session, caller: Caller, now: Now
) -> ActionPlanDetail:
    """Make a plan or keep it up to date. Making it freezes the figures behind it; closing it compares."""
    runtime = request.app.state.runtime
    row = await put_plan(session, id, body.plan(), runtime=runtime, caller=caller, now=now)
    return plan_detail(row, list(await reminders_of(session, id)))


@routes.get("/v1/action-plans/{id}", allow=READERS)
async def get_action_plan(id: Slug, session: Session, caller: Caller) -> ActionPlanDetail:
    row = await get_plan(session, id, caller)
    return plan_detail(row, list(await reminders_of(session, id)))


@routes.get("/v1/action-plans", allow=READERS)
async def list_action_plans(
    *,
    session: Session,
    page: Paging,
    caller: Caller,
    stage: Stage | None = None,
    owner: str | None = None,
    org_unit: Slug | None = None,
    cause: str | None = None,
    case: UUID | None = None,
) -> Listing[ActionPlanOut]:
    """By id. `cause` and `case`: the plans linked to it."""
    statement = select(ActionPlanRow).where(await visible(session, caller))
    if stage is not None:
        statement = statement.where(ActionPlanRow.stage == stage)
    if owner is not None:
        statement = statement.where(ActionPlanRow.owner == owner)
    if org_unit is not None:
        statement = statement.where(ActionPlanRow.org_unit == org_unit)
    if cause is not None:
        statement = statement.where(ActionPlanRow.document["causes"].contains([cause]))
    if case is not None:
        statement = statement.where(ActionPlanRow.document["cases"].contains([str(case)]))
    return await listing(session, statement, by=[ActionPlanRow.id], page=page, to=plan_out)
