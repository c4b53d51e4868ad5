"""Publishing a plan: what its metrics would incent is looked at first, and nothing passes in silence."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lint import Asked, Finding, asked_of, findings
from bonus.domain.plan import Plan
from bonus.domain.tenure import Days
from bonus.domain.waiver import Waiver, judge
from bonus.service.directory import assignments_of
from bonus.service.linting import told_by_directory
from bonus.service.plans import HeldPlan, newest_plan, publish_plan
from bonus.service.snapshots import current_figures
from fairloop.auth import Caller
from fairloop.errors import Conflict, Unavailable
from fairloop.service import Runtime

LOOKED_BACK = timedelta(days=90)


async def publish(
    session: AsyncSession,
    id: str,
    waived: Sequence[tuple[str, str | None, str]],
    *,
    strict: bool,
    runtime: Runtime,
    caller: Caller,
    now: datetime,
) -> HeldPlan:
    """Publish the draft when every finding that blocks is waived; `strict`: warnings block, too. `waived`: code, pointer or None, reason.

    `session` is not used before kpi-aggregator has answered. Raises NotFound, Conflict with what stops it.
    """
    waivers = [
        msgspec.convert(
            {"code": code, "pointer": pointer, "reason": why, "by": caller.sub, "at": now}, Waiver
        )
        for code, pointer, why in waived
    ]
    draft, found = await examine(runtime, id, now=now)
    judged = judge(found, waivers)
    stopping = [one.finding for one in judged if one.stops(strict=strict)]
    if draft.status == "draft" and stopping:
        told = "; ".join(f"{one.code} at {one.pointer}: {one.message}" for one in stopping)
        raise Conflict(f"Not published. Mend these findings or waive each by name and reason: {told}.")
    return await publish_plan(
        session,
        id,
        text_hash=draft.text_hash,
        judged=judged,
        by=caller.sub,
        now=now,
        today=now.astimezone(runtime.settings.zone).date(),
    )


async def examine(runtime: Runtime, id: str, *, now: datetime) -> tuple[HeldPlan, list[Finding]]:
    """The newest version and what there is to say about it today. Raises NotFound."""
    today = now.astimezone(runtime.settings.zone).date()
    async with runtime.db.begin() as session:
        held = await newest_plan(session, id)
        known = await told_by_directory(session, held.plan)
        units = await _units_today(session, held.plan, today)
    responses = (
        await _responses(runtime, asked_of(held.plan, units), today) if held.plan.mode == "paid" else {}
    )
    known = msgspec.structs.replace(known, responses=responses, days=LOOKED_BACK.days)
    return held, findings(held.plan, known)


async def _units_today(session: AsyncSession, plan: Plan, today: date) -> frozenset[str]:
    assignments = await assignments_of(session, {payee.employee for payee in plan.payees})
    held = (one for postings in assignments.values() for one in postings)
    return frozenset(one.org_unit for one in held if one.days.start <= today < one.days.end)


async def _responses(runtime: Runtime, asked: Iterable[Asked], today: date) -> dict[Asked, int | None] | None:
    """None when kpi-aggregator does not answer."""
    window = Days(today - LOOKED_BACK, today + timedelta(days=1))
    try:
        found = await current_figures(runtime.peers, window, set(asked))
    except (Unavailable, Conflict):
        return None
    return {(one.kpi, one.scope_type, one.scope_id, one.view): one.n for one in found}
