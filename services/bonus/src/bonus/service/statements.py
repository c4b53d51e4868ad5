"""Statements of a period's current run, for those who may read them."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lifecycle import CLOSED
from bonus.domain.payroll import payroll_csv
from bonus.domain.statement import Statement
from bonus.service.directory import subtree
from bonus.service.periods import get_period
from bonus.service.runs import current_run
from bonus.tables import BonusRunRow, StatementRow
from fairloop.auth import Caller, Role
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
    return run, decoded(row)


async def closed_run(session: AsyncSession, period: str) -> BonusRunRow:
    """The approved or paid run. Raises NotFound, Conflict."""
    held = await get_period(session, period)
    run = await current_run(session, period)
    if run is None or run.status not in CLOSED:
        raise Conflict(f"The period is {held.status}; there is no approved run yet.")
    return run


async def statements_of(session: AsyncSession, run: BonusRunRow) -> list[Statement]:
    rows = await session.scalars(
        select(StatementRow).where(StatementRow.run_id == run.id).order_by(StatementRow.employee)
    )
    return [decoded(row) for row in rows]


async def payroll(session: AsyncSession, period: str) -> str:
    """The payroll file of the approved run, as CSV. Raises NotFound, Conflict."""
    run = await closed_run(session, period)
    return payroll_csv(period, str(run.id), await statements_of(session, run))


def decoded(row: StatementRow) -> Statement:
    return msgspec.json.decode(row.body, type=Statement)
