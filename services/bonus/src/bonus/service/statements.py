"""Payouts of a period's current run and the statements that explain them, for those who may read them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.explanation import RULE_VERSION, Explainer, Facts, Terms
from bonus.domain.lifecycle import CLOSED
from bonus.domain.payroll import payroll_csv
from bonus.domain.run import Run
from bonus.domain.settlement import Settled
from bonus.domain.statement import Statement
from bonus.service.directory import subtree
from bonus.service.periods import get_period
from bonus.service.plans import plan_version
from bonus.service.runs import current_run
from bonus.tables import BonusRunRow, StatementRow
from fairloop.auth import Caller, Role
from fairloop.db import copy_in, sql
from fairloop.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose pay a caller may look at. `units`: those of the subtree a manager answers for."""

    everybody: bool
    employee: str | None
    units: frozenset[str]

    @classmethod
    async def of(cls, session: AsyncSession, caller: Caller) -> "Reader":
        managed = await subtree(session, caller.org_units) if caller.has(Role.MANAGER) else set()
        return cls(caller.has(Role.ADMIN, Role.FINANCE), caller.employee_id, frozenset(managed))

    def may_see(self, employee: str, org_units: Collection[str]) -> bool:
        return self.everybody or employee == self.employee or not self.units.isdisjoint(org_units)


async def statement_of(
    session: AsyncSession, period: str, employee: str, caller: Caller
) -> tuple[BonusRunRow, Statement]:
    """Raises NotFound, also for somebody else's statement."""
    nothing = NotFound(f"There is no statement of {employee} in period {period}.")
    run = await current_run(session, period)
    reader = await Reader.of(session, caller)
    if run is None:
        raise nothing
    row = await session.scalar(
        select(StatementRow).where(StatementRow.run_id == run.id, StatementRow.employee == employee)
    )
    if row is None or not reader.may_see(employee, row.org_units):
        raise nothing
    return run, (await reader_of(session, run))(row)


async def closed_run(session: AsyncSession, period: str) -> BonusRunRow:
    """The approved or paid run. Raises NotFound, Conflict."""
    held = await get_period(session, period)
    run = await current_run(session, period)
    if run is None or run.status not in CLOSED:
        raise Conflict(f"The period is {held.status}; there is no approved run yet.")
    return run


_PAYOUTS = """
SELECT employee,
       coalesce(payout_minor, (convert_from(body, 'UTF8')::jsonb ->> 'payout_minor')::bigint),
       coalesce(held_minor, (convert_from(body, 'UTF8')::jsonb ->> 'held_minor')::bigint)
FROM statement WHERE run_id = $1 ORDER BY employee
"""


async def payouts_of(session: AsyncSession, run: BonusRunRow) -> list[Settled]:
    """By employee. Raises Conflict when they were lost in a restore: nobody is paid by what is left of them."""
    rows = await sql(session, _PAYOUTS, run.id)
    if len(rows) != run.payees:
        raise Conflict(f"The statements of run {run.id} were lost in a restore: {len(rows)} of {run.payees}.")
    return [Settled(*row) for row in rows]


async def payroll(session: AsyncSession, period: str) -> str:
    """The payroll file of the approved run, as CSV; empty when its plan only tracks. Raises NotFound, Conflict."""
    run = await closed_run(session, period)
    held = await plan_version(session, run.plan, run.plan_version)
    payouts = [] if held.plan.mode == "track_only" else await payouts_of(session, run)
    return payroll_csv(
        payouts, currency=run.currency, period=period, run=str(run.id), rule_version=run.rule_version
    )


async def save_statements(session: AsyncSession, run_id: UUID, run: Run) -> None:
    """Payouts with the facts that explain them."""
    await copy_in(
        session,
        "statement",
        ("run_id", "employee", "rule_version", "org_units", "payout_minor", "held_minor", "facts"),
        (
            (
                run_id,
                paid.employee,
                RULE_VERSION,
                facts.standing.org_units(paid.employee),
                paid.payout,
                paid.held,
                _encode(facts),
            )
            for paid, facts in zip(run.settled, run.facts, strict=True)
        ),
    )


async def reader_of(session: AsyncSession, run: BonusRunRow) -> Callable[[StatementRow], Statement]:
    """What makes statements of the rows of this run."""
    terms = await session.scalar(select(BonusRunRow.terms).where(BonusRunRow.id == run.id))
    if terms is None:
        return _written
    explainer = Explainer(_decode_terms(terms))

    def explained(row: StatementRow) -> Statement:
        assert row.facts is not None
        assert row.payout_minor is not None
        return explainer.statement(_decode_facts(row.facts), row.payout_minor)

    return explained


def _written(row: StatementRow) -> Statement:
    assert row.body is not None
    return msgspec.json.decode(row.body, type=Statement)


_encode = msgspec.json.Encoder().encode
_decode_terms = msgspec.json.Decoder(Terms).decode
_decode_facts = msgspec.json.Decoder(Facts).decode
