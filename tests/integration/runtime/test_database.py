"""The pool of connections outlives its server."""

import asyncio

import asyncpg
from sqlalchemy import text

from fairloop.db import Database, is_transient, sql
from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.testing import temporary_database

CONNECTIONS = 4
CANCELLED = 400
LONGEST_SECONDS = 0.006
"""What a transaction takes on a busy machine: the last are cancelled when they are over, or nearly."""


async def test_a_crashed_server_is_used_again_as_soon_as_it_is_back() -> None:
    with temporary_postgres() as postgres:
        db = Database(postgres.admin_url(), pool_size=CONNECTIONS)
        try:
            await asyncio.gather(*(_ask(db) for _ in range(CONNECTIONS)))
            await asyncio.to_thread(postgres.stop, "immediate")
            [refused] = await asyncio.gather(_ask(db), return_exceptions=True)
            assert isinstance(refused, Exception)
            assert is_transient(refused)
            await asyncio.to_thread(postgres.start)
            assert await asyncio.gather(*(_ask(db) for _ in range(3 * CONNECTIONS))) == [1] * 3 * CONNECTIONS
        finally:
            await db.close()


async def test_what_is_committed_after_somebody_gave_up_is_committed(postgres: PostgresServer) -> None:
    """Whenever a request is cancelled, in its BEGIN, a statement, its COMMIT or ROLLBACK: who gets the connection next
    has a transaction of their own."""
    async with temporary_database(postgres) as place:
        db = Database(place.url, pool_size=1)
        witness = await asyncpg.connect(place.url)
        try:
            await witness.execute("CREATE TABLE kept (number integer)")
            for number in range(CANCELLED):
                given_up = asyncio.create_task(_keep(db, -1))
                await asyncio.sleep(number * LONGEST_SECONDS / CANCELLED)
                given_up.cancel()
                await asyncio.wait({given_up})
                await _keep(db, number)
                assert await witness.fetchval("SELECT count(*) FROM kept WHERE number = $1", number) == 1
        finally:
            await witness.close()
            await db.close()


async def _keep(db: Database, number: int) -> None:
    async with db.begin() as session:
        await sql(session, "INSERT INTO kept VALUES ($1)", number)
        await session.execute(text("SELECT 1"))


async def _ask(db: Database) -> int:
    async with db.begin() as session:
        rows = await sql(session, "SELECT 1 FROM pg_sleep(0.05)")
    return int(rows[0][0])
