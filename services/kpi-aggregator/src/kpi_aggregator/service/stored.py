"""Held contributions, read in chunks, so that memory does not grow with their number."""

from collections.abc import AsyncIterator, Collection, Iterable
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.contribution import Contribution
from kpi_aggregator.domain.fold import Placed
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.tree import Tree

_CHUNK = 2000
_FIRST = UUID(int=0)

_COUNTED = """
SELECT response_id, shard, body FROM contribution
WHERE response_id > $1 AND body IS NOT NULL ORDER BY response_id LIMIT $2
"""
_NAMING = """
SELECT response_id, shard, body FROM contribution
WHERE response_id > $1 AND body IS NOT NULL AND units && $3::text[] ORDER BY response_id LIMIT $2
"""

_decoder = msgspec.json.Decoder(Contribution)


def decoded(body: bytes) -> Contribution:
    """A contribution as the table keeps it."""
    return _decoder.decode(body)


async def all_chunks(session: AsyncSession) -> AsyncIterator[list[Placed]]:
    """Every response that counts."""
    async for chunk in _chunks(session, _COUNTED):
        yield chunk


async def chunks_naming(session: AsyncSession, units: Collection[str]) -> AsyncIterator[list[Placed]]:
    """Every response that counts and names one of these org units directly."""
    async for chunk in _chunks(session, _NAMING, list(units)):
        yield chunk


async def of_days(session: AsyncSession, days: Days) -> list[Contribution]:
    """Every response that counts on one of these days."""
    rows = await sql(
        session,
        "SELECT body FROM contribution WHERE body IS NOT NULL AND day >= $1 AND day < $2",
        days.start,
        days.end,
    )
    return [decoded(row[0]) for row in rows]


async def of_scope(session: AsyncSession, days: Days, scope: Scope, tree: Tree) -> list[Contribution]:
    """Every response of the days that may count for the scope; whether it does, its marks say.

    A person has no index of their own (it would be written with every response): the days' rows are looked through.
    """
    statement = "SELECT body FROM contribution WHERE body IS NOT NULL AND day >= $1 AND day < $2"
    args: list[object] = [days.start, days.end]
    if scope.scope_type in {"employee", "role", "touchpoint"}:
        statement += " AND position($3::bytea IN body) > 0"
        args.append(msgspec.json.encode(scope.scope_id))
    elif scope.scope_type == "org_unit":
        statement += " AND units && $3::text[]"
        args.append(sorted(tree.subtree([scope.scope_id])))
    return [decoded(row[0]) for row in await sql(session, statement, *args)]


async def erased_among(session: AsyncSession, response_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Which of these responses were erased at their customer's wish."""
    rows = await sql(
        session,
        "SELECT response_id FROM contribution WHERE state = 'erased' AND response_id = ANY($1::uuid[])",
        list(response_ids),
    )
    return frozenset(row[0] for row in rows)


async def _chunks(session: AsyncSession, statement: str, *more: object) -> AsyncIterator[list[Placed]]:
    last = _FIRST
    while rows := await sql(session, statement, last, _CHUNK, *more):
        last = rows[-1].response_id
        yield [Placed(decoded(row.body), row.shard) for row in rows]
