"""Action plans: what they rest on is checked and asked for first, then the plan is kept with its reminders."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.action_plan import Plan, faults, task_owners
from closed_loop.domain.comparison import Figure, compare
from closed_loop.domain.routing import subtree
from closed_loop.service.analytics import Days, background, figure_of, known_causes
from closed_loop.service.cases import case_of
from closed_loop.service.directory import load_parents, load_people
from closed_loop.service.notifications import Subject, notify
from closed_loop.service.reminders import arm
from closed_loop.service.visibility import load_sight
from closed_loop.settings import ClosedLoopSettings
from closed_loop.tables import ActionPlanRow, CaseRow
from fairloop.auth import Caller, Role
from fairloop.errors import Conflict, Invalid, NotFound
from fairloop.service import Runtime

TASK_GIVEN = "action_plan_task"
_SEE_ALL = (Role.ADMIN, Role.OPS, Role.ANALYST)


@dataclass(frozen=True, slots=True)
class _Before:
    """The plan as it was, if it was."""

    version: int
    plan: Plan
    analytics: dict[str, Any]
    made_on: date


async def put_plan(
    session: AsyncSession, id: str, plan: Plan, *, runtime: Runtime, caller: Caller, now: datetime
) -> ActionPlanRow:
    """Keep a plan. `session` is not used before the figures are there.

    Raises Invalid, NotFound (another's plan), Conflict, Unavailable; then nothing was kept.
    """
    settings: ClosedLoopSettings = runtime.settings
    today = now.astimezone(settings.zone).date()
    async with runtime.db.begin() as reading:
        row = await _row(reading, id, caller)
        before = _before(row)
        if row is not None and before is not None and before.plan == plan:
            return row
        await _check(reading, plan, before, caller)
    made_on = before.made_on if before is not None else today
    await _check_causes(runtime, plan, before)
    analytics = (
        before.analytics if before is not None else await background(runtime.peers, plan.goal, made_on)
    )
    comparison = await _closing(runtime, plan, analytics, made_on, today) if plan.stage == "closed" else None
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"action_plan/{id}", 0))))
    row = await session.scalar(select(ActionPlanRow).where(ActionPlanRow.id == id).with_for_update())
    if row is not None and plan_of(row) == plan:
        return row
    if (row.version if row is not None else None) != (before.version if before is not None else None):
        raise Conflict("The plan was changed meanwhile; look at it and put it again.")
    if row is None:
        by = caller.employee_id or caller.sub
        row = ActionPlanRow(id=id, version=0, made_on=made_on, created_by=by, created_at=now)
        row.analytics = analytics
        session.add(row)
    row.version += 1
    row.stage, row.owner, row.org_unit = plan.stage, plan.owner, plan.org_unit
    row.document, row.comparison, row.updated_at = msgspec.to_builtins(plan), comparison, now
    await session.flush()
    await arm(session, id, plan, zone=settings.zone)
    given = task_owners(plan) - task_owners(before.plan if before is not None else None)
    await notify(session, given, TASK_GIVEN, about=Subject("action_plan", id), at=now)
    return row


async def get_plan(session: AsyncSession, id: str, caller: Caller) -> ActionPlanRow:
    """One plan. Raises NotFound, also for another's."""
    row = await _row(session, id, caller)
    if row is None:
        raise NotFound(f"There is no action plan {id}.")
    return row


async def visible(session: AsyncSession, caller: Caller) -> ColumnElement[bool]:
    """The plans of the own units and those one owns or has a task in; administrators and analysts see all."""
    if caller.has(*_SEE_ALL):
        return true()
    units = subtree(await load_parents(session), caller.org_units) if caller.has(Role.MANAGER) else set()
    me = caller.employee_id
    return or_(
        ActionPlanRow.org_unit.in_(units),
        ActionPlanRow.owner == me,
        ActionPlanRow.document["tasks"].contains([{"owner": me}]),
    )


def plan_of(row: ActionPlanRow) -> Plan:
    """The plan a row holds."""
    return msgspec.convert(row.document, Plan)


async def _row(session: AsyncSession, id: str, caller: Caller) -> ActionPlanRow | None:
    row = await session.get(ActionPlanRow, id)
    if row is None:
        return None
    seen = select(ActionPlanRow.id).where(ActionPlanRow.id == id, await visible(session, caller))
    if await session.scalar(seen) is None:
        raise NotFound(f"There is no action plan {id}.")
    return row


def _before(row: ActionPlanRow | None) -> _Before | None:
    return None if row is None else _Before(row.version, plan_of(row), row.analytics, row.made_on)


async def _check(session: AsyncSession, plan: Plan, before: _Before | None, caller: Caller) -> None:
    """Raises Invalid with every fault, Conflict for a plan that is closed."""
    held = before.plan if before is not None else None
    if held is not None and held.stage == "closed":
        raise Conflict("The plan is closed; what came of it stays as it is.")
    found = [
        *faults(plan, held),
        *await _unknown_people(session, plan, held),
        *await _foreign_units(session, plan, caller),
        *await _unknown_cases(session, plan, caller),
    ]
    if found:
        errors = [(f"/body{pointer}", detail) for pointer, detail in found]
        raise Invalid(errors[0][1], errors=errors)


async def _unknown_people(session: AsyncSession, plan: Plan, held: Plan | None) -> list[tuple[str, str]]:
    """Who is newly named has to be there; somebody who leaves later does not make the plan invalid."""
    named = [("/owner", plan.owner)]
    named += [(f"/project_plan/tasks/{place}/owner", task.owner) for place, task in enumerate(plan.tasks)]
    known = {} if held is None else {held.owner, *(task.owner for task in held.tasks)}
    people = await load_people(session, {who for _, who in named})
    return [
        (pointer, f"{who} is not an active employee.")
        for pointer, who in named
        if who not in known and not (who in people and people[who].active)
    ]


async def _foreign_units(session: AsyncSession, plan: Plan, caller: Caller) -> list[tuple[str, str]]:
    """Managers plan for their own units, by figures of these or of the whole organisation."""
    parents = await load_parents(session)
    own = set(parents) if caller.has(*_SEE_ALL) else subtree(parents, caller.org_units) & set(parents)
    found = [] if plan.org_unit in own else [("/org_unit", f"There is no unit {plan.org_unit} of yours.")]
    goal = plan.goal
    if goal.scope_type == "org_unit" and goal.scope_id not in own:
        found.append(("/goal/scope_id", f"There is no unit {goal.scope_id} of yours."))
    if goal.scope_type not in {"org_unit", "organisation"} and not caller.has(*_SEE_ALL):
        found.append(("/goal/scope_type", "A manager's goal is of a unit or of the organisation."))
    return found


async def _unknown_cases(session: AsyncSession, plan: Plan, caller: Caller) -> list[tuple[str, str]]:
    sight = await load_sight(session, caller)
    rows = await session.scalars(select(CaseRow).where(CaseRow.id.in_([UUID(id) for id in plan.cases])))
    seen = {str(row.id) for row in rows if sight.sees(case_of(row))}
    return [
        (f"/cases/{place}", f"There is no case {id}.")
        for place, id in enumerate(plan.cases)
        if id not in seen
    ]


async def _check_causes(runtime: Runtime, plan: Plan, before: _Before | None) -> None:
    """Raises Invalid for a cause that is in no taxonomy, Unavailable."""
    new = set(plan.causes) - set(before.plan.causes if before is not None else ())
    unknown = new - await known_causes(runtime.peers) if new else set()
    if unknown:
        errors = [
            (f"/body/causes/{place}", f"There is no cause {cause} in any taxonomy.")
            for place, cause in enumerate(plan.causes)
            if cause in unknown
        ]
        raise Invalid(errors[0][1], errors=errors)


async def _closing(
    runtime: Runtime, plan: Plan, analytics: dict[str, Any], made_on: date, today: date
) -> dict[str, Any]:
    """The frozen figure beside the one since the plan was made, today included."""
    days = Days(made_on, max(today, made_on) + timedelta(days=1))
    after = await figure_of(runtime.peers, plan.goal, days)
    compared = compare(
        msgspec.convert(analytics["figure"], Figure),
        msgspec.convert(after, Figure),
        target=float(plan.goal.target),
    )
    return {"before": analytics["figure"], "after": after, **msgspec.to_builtins(compared)}
