"""Results of goals in closed runs, read a page of payees at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.explanation import Facts, Terms
from bonus.domain.goal_results import GoalResult, results, results_as_written
from bonus.domain.statement import Statement
from bonus.service.plans import plan_version
from bonus.tables import BonusRunRow, StatementRow

PAGE = 500

_terms = msgspec.json.Decoder(Terms).decode
_facts = msgspec.json.Decoder(Facts).decode
_statement = msgspec.json.Decoder(Statement).decode

Reading = Callable[[StatementRow], list[GoalResult]]


async def every_result(session: AsyncSession, run: BonusRunRow) -> AsyncIterator[list[GoalResult]]:
    """All payees of a run, by employee, a list each."""
    after = ""
    while page := await results_page(session, run, after=after, limit=PAGE):
        for one in page:
            yield one
        after = page[-1][0].employee


async def results_page(
    session: AsyncSession, run: BonusRunRow, *, after: str, limit: int
) -> list[list[GoalResult]]:
    """The next payees of a run after this employee, a list of results each."""
    statement = select(StatementRow).where(StatementRow.run_id == run.id, StatementRow.employee > after)
    rows = (await session.scalars(statement.order_by(StatementRow.employee).limit(limit))).all()
    read = await _reading(session, run)
    return await asyncio.to_thread(_read_all, read, rows)


def _read_all(read: Reading, rows: Sequence[StatementRow]) -> list[list[GoalResult]]:
    return [read(row) for row in rows]


async def _reading(session: AsyncSession, run: BonusRunRow) -> Reading:
    terms = await session.scalar(select(BonusRunRow.terms).where(BonusRunRow.id == run.id))
    if terms is not None:
        shared = _terms(terms)

        def explained(row: StatementRow) -> list[GoalResult]:
            assert row.facts is not None
            assert row.payout_minor is not None
            return results(shared, _facts(row.facts), row.payout_minor)

        return explained
    held = await plan_version(session, run.plan, run.plan_version)
    curves = {component.id: component.curve for component in held.plan.components}

    def written(row: StatementRow) -> list[GoalResult]:
        assert row.body is not None
        return results_as_written(_statement(row.body), curves)

    return written
