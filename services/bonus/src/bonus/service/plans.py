"""Plans: drafts, publishing, which version counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lint import findings
from bonus.domain.notice import TooEarlyError, counting_for, in_force_from
from bonus.domain.plan import Plan
from bonus.domain.plan_rules import problems
from bonus.domain.waiver import Judged, judge
from bonus.service.linting import restated, stated, told_by_directory
from bonus.service.notice import published_versions
from bonus.tables import PlanVersion
from fairloop.auth import Caller, Role
from fairloop.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan with its place in history. `findings`: what the linter said, and who waived it why."""

    id: str
    version: int
    status: str
    plan: Plan
    text_hash: str
    findings: tuple[Judged, ...] = ()
    published_on: date | None = None
    in_force_from: date | None = None


async def put_draft(session: AsyncSession, id: str, plan: Plan, *, by: str, now: datetime) -> HeldPlan:
    """Replace the draft, or open the next version after a published one. The same text again changes nothing.

    Raises Invalid with every problem of the plan.
    """
    if found := problems(plan):
        errors = [(f"/body{problem.pointer}", problem.detail) for problem in found]
        raise Invalid("; ".join(problem.detail for problem in found), errors=errors)
    await _lock(session, id)
    newest = await _newest(session, id)
    if newest is None or newest.text_hash != plan.text_hash:
        judged = judge(findings(plan, await told_by_directory(session, plan)), ())
        is_draft = newest is not None and newest.status == "draft"
        version = 1 if newest is None else newest.version if is_draft else newest.version + 1
        newest = await session.merge(
            PlanVersion(
                id=id,
                version=version,
                status="draft",
                body=msgspec.to_builtins(plan),
                text_hash=plan.text_hash,
                changed_at=now,
                changed_by=by,
                findings=stated(judged),
            )
        )
    return held_plan(newest)


async def publish_plan(
    session: AsyncSession,
    id: str,
    *,
    text_hash: str,
    judged: Sequence[Judged],
    by: str,
    now: datetime,
    today: date,
) -> HeldPlan:
    """From the end of the notice on the newest version is the text that counts, and it never changes.

    Again: nothing happens. `judged` is about `text_hash`; raises Conflict when the draft is another text by now.
    """
    await _lock(session, id)
    newest = await newest_row(session, id)
    if newest.text_hash != text_hash:
        raise Conflict("The draft was changed meanwhile: read it again.")
    if newest.status == "draft":
        earlier = await published_versions(session, id)
        newest.status, newest.changed_at, newest.changed_by = "published", now, by
        newest.published_on = today
        newest.in_force_from = in_force_from(today, newest.body["notice_days"], earlier)
        newest.findings = stated(judged)
    return held_plan(newest)


async def newest_plan(session: AsyncSession, id: str) -> HeldPlan:
    """The newest version, draft or not. Raises NotFound."""
    return held_plan(await newest_row(session, id))


async def newest_row(session: AsyncSession, id: str) -> PlanVersion:
    """Raises NotFound."""
    newest = await _newest(session, id)
    if newest is None:
        raise NotFound(f"There is no plan {id}.")
    return newest


async def plan_for_period(session: AsyncSession, id: str, start: date) -> HeldPlan:
    """The text that a period beginning on `start` is calculated with. Raises Conflict when there is none that may."""
    try:
        counting = counting_for(await published_versions(session, id), start)
    except TooEarlyError as error:
        raise Conflict(f"Not calculated: {error}.") from error
    if counting is None:
        raise Conflict(f"Plan {id} has no published version.")
    return await plan_version(session, id, counting.version.version)


async def plan_version(session: AsyncSession, id: str, version: int) -> HeldPlan:
    row = await session.get(PlanVersion, (id, version))
    if row is None:
        raise NotFound(f"There is no version {version} of plan {id}.")
    return held_plan(row)


async def newest_for(session: AsyncSession, id: str, caller: Caller) -> HeldPlan:
    """The newest version the caller may see: drafts are for those who make plans."""
    status = None if caller.has(Role.ADMIN, Role.FINANCE) else "published"
    newest = await _newest(session, id, status=status)
    if newest is None:
        raise NotFound(f"There is no plan {id}.")
    return held_plan(newest)


def newest_plans(caller: Caller) -> Select[PlanVersion]:
    """The newest version of every plan that the caller may see."""
    newest = select(PlanVersion.id, func.max(PlanVersion.version).label("version")).group_by(PlanVersion.id)
    if not caller.has(Role.ADMIN, Role.FINANCE):
        newest = newest.where(PlanVersion.status == "published")
    top = newest.subquery()
    return select(PlanVersion).join(
        top, (top.c.id == PlanVersion.id) & (top.c.version == PlanVersion.version)
    )


def held_plan(row: PlanVersion) -> HeldPlan:
    plan = msgspec.convert(row.body, Plan)
    return HeldPlan(
        row.id,
        row.version,
        row.status,
        plan,
        row.text_hash,
        restated(row.findings),
        row.published_on,
        row.in_force_from,
    )


async def _lock(session: AsyncSession, id: str) -> None:
    """One writer a plan, also before its first row exists."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"plan:{id}", 0))))


async def _newest(session: AsyncSession, id: str, *, status: str | None = None) -> PlanVersion | None:
    statement = select(PlanVersion).where(PlanVersion.id == id)
    if status is not None:
        statement = statement.where(PlanVersion.status == status)
    return await session.scalar(statement.order_by(PlanVersion.version.desc()).limit(1))
