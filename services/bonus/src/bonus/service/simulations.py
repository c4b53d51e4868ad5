"""Trying plans on the past. What comes out is kept to be read again, and nobody is paid by it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lint import Finding, Known, findings
from bonus.domain.plan import Plan
from bonus.domain.plan_rules import problems
from bonus.domain.simulation import Past, Replay, replay
from bonus.domain.standing import Standing
from bonus.service.linting import customer_facing
from bonus.service.plans import plan_version
from bonus.service.snapshots import fetch
from bonus.service.statements import closed_run, payouts_of
from bonus.tables import BonusRunRow, Simulation
from fairloop.auth import Caller
from fairloop.errors import Conflict, Invalid, NotFound
from fairloop.ids import uuid7
from fairloop.service import Runtime

MOST = 3_000_000
"""Payouts in all replicates of one simulation; about half a minute of one core."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate on every period asked for. `findings`: what the linter says to it, without asking for responses."""

    id: str
    scheme: str
    mode: str
    reliability_mode: str
    total_minor: int
    before_minor: int
    difference_minor: int
    findings: tuple[Finding, ...]
    periods: tuple[Replay, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Candidates by id, and the periods to replay them on."""

    periods: Sequence[str]
    candidates: Mapping[str, Plan]
    replicates: int
    seed: int
    asked: dict[str, Any]


async def simulate(
    session: AsyncSession, question: Question, *, runtime: Runtime, caller: Caller, now: datetime
) -> Simulation:
    """Replay and keep. `session` is not used before the facts are there.

    Raises Invalid, NotFound, Conflict for a period that is not approved, Unavailable.
    """
    _check(question)
    async with runtime.db.begin() as reading:
        closed = [await _closed(reading, period) for period in question.periods]
        known = Known(customer_facing=await customer_facing(reading))
    pasts = [await _frozen(runtime, question, *one) for one in closed]
    for past in pasts:
        _check_against(question, past)
    tried = await asyncio.to_thread(_tried, question, pasts, known)
    row = Simulation(
        id=uuid7(),
        periods=list(question.periods),
        asked=question.asked,
        outcome=msgspec.json.encode(tried),
        made_by=caller.sub,
        made_at=now,
    )
    session.add(row)
    return row


async def get_simulation(session: AsyncSession, id: UUID) -> Simulation:
    """Raises NotFound."""
    row = await session.get(Simulation, id)
    if row is None:
        raise NotFound(f"There is no simulation {id}.")
    return row


def outcome_of(row: Simulation) -> tuple[Tried, ...]:
    return msgspec.json.decode(row.outcome, type=tuple[Tried, ...])


def _check(question: Question) -> None:
    errors = [
        (f"/body/candidates/{index}/plan{problem.pointer}", problem.detail)
        for index, plan in enumerate(question.candidates.values())
        for problem in problems(plan)
    ]
    if errors:
        raise Invalid("; ".join(detail for _, detail in errors), errors=errors)


def _check_against(question: Question, past: Past) -> None:
    people = {payee.employee for payee in past.plan.payees}
    payouts = sum(len(plan.payees or people) for plan in question.candidates.values())
    if payouts * question.replicates * len(question.periods) > MOST:
        raise Invalid("Too much to compute: ask for fewer replicates.", pointer="/body/replicates")
    for index, plan in enumerate(question.candidates.values()):
        at = f"/body/candidates/{index}/plan"
        if strange := sorted({payee.employee for payee in plan.payees} - people):
            raise Invalid(f"{strange[0]} was no payee of period {past.period}.", pointer=f"{at}/payees")
        if missing := sorted(set(plan.kpis) - set(past.snapshots)):
            raise Invalid(f"Period {past.period} froze no {missing[0]}.", pointer=f"{at}/components")


async def _closed(session: AsyncSession, period: str) -> tuple[BonusRunRow, Past]:
    run = await closed_run(session, period)
    held = await plan_version(session, run.plan, run.plan_version)
    try:
        standing = msgspec.convert(run.standing, Standing)
    except msgspec.ValidationError as error:
        raise Conflict(f"What period {period} was calculated from was lost in a restore.") from error
    return run, Past(period, held.plan, standing, {}, await payouts_of(session, run))


async def _frozen(runtime: Runtime, question: Question, run: BonusRunRow, past: Past) -> Past:
    components = [component for plan in question.candidates.values() for component in plan.components]
    ids = {kpi: one["id"] for kpi, one in run.snapshots.items()}
    snapshots = await fetch(runtime.peers, ids, components)
    return Past(past.period, past.plan, past.standing, snapshots, past.approved)


def _tried(question: Question, pasts: Sequence[Past], known: Known) -> list[Tried]:
    return [_one(id, plan, question, pasts, known) for id, plan in question.candidates.items()]


def _one(id: str, plan: Plan, question: Question, pasts: Sequence[Past], known: Known) -> Tried:
    replays = [replay(plan, past, replicates=question.replicates, seed=question.seed) for past in pasts]
    total, before = sum(one.total_minor for one in replays), sum(one.before_minor for one in replays)
    return Tried(
        id=id,
        scheme=plan.scheme,
        mode=plan.mode,
        reliability_mode=plan.reliability_mode,
        total_minor=total,
        before_minor=before,
        difference_minor=total - before,
        findings=tuple(findings(plan, known)),
        periods=tuple(replays),
    )
