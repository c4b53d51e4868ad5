"""What is written within a savepoint goes with it, also what goes past SQLAlchemy to the driver."""

from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.testing import temporary_database


class RefusedError(Exception):
    """A handler's, after it has written something."""


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    async with temporary_database(postgres) as made:
        async with made.begin() as session:
            await sql(session, "CREATE TABLE written (value integer PRIMARY KEY)")
        yield made


async def _write(session: AsyncSession, value: int) -> None:
    await sql(session, "INSERT INTO written VALUES ($1)", value)


async def _refused(session: AsyncSession, value: int) -> None:
    """Written within a savepoint that is then given up."""
    with suppress(RefusedError):
        async with session.begin_nested():
            await _write(session, value)
            raise RefusedError


async def _written(db: Database) -> list[int]:
    async with db.begin() as session:
        return [row[0] for row in await sql(session, "SELECT value FROM written ORDER BY value")]


async def test_a_savepoint_takes_back_its_own_statements_and_no_others(db: Database) -> None:
    async with db.begin() as session:
        await _write(session, 1)
        await _refused(session, 2)
        await _write(session, 3)
        async with session.begin_nested():
            await _write(session, 4)
            await _refused(session, 5)
            await _write(session, 6)
    assert await _written(db) == [1, 3, 4, 6]


async def test_after_a_statement_that_failed_in_a_savepoint_the_transaction_goes_on(db: Database) -> None:
    async with db.begin() as session:
        await _write(session, 1)
        with suppress(asyncpg.UniqueViolationError):
            async with session.begin_nested():
                await _write(session, 1)
        await _write(session, 2)
    assert await _written(db) == [1, 2]
