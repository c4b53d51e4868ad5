"""The pool of connections outlives its server."""

import asyncio

import pytest

from fairloop.db import Database, is_transient, sql
from fairloop.embedded import temporary_postgres

CONNECTIONS = 4


async def test_a_crashed_server_is_used_again_as_soon_as_it_is_back() -> None:
    with temporary_postgres() as postgres:
        db = Database(postgres.admin_url(), pool_size=CONNECTIONS)
        try:
            await asyncio.gather(*(_ask(db) for _ in range(CONNECTIONS)))
            await asyncio.to_thread(postgres.stop, "immediate")
            with pytest.raises(Exception) as refused:  # noqa: PT011 - which one it is depends on the moment
                await _ask(db)
            assert is_transient(refused.value)
            await asyncio.to_thread(postgres.start)
            assert await asyncio.gather(*(_ask(db) for _ in range(3 * CONNECTIONS))) == [1] * 3 * CONNECTIONS
        finally:
            await db.close()


async def _ask(db: Database) -> int:
    async with db.begin() as session:
        rows = await sql(session, "SELECT 1 FROM pg_sleep(0.05)")
    return int(rows[0][0])
