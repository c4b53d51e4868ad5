"""Holding a database's processes at a chosen place from outside, with locks of the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from tests.fault.processes import until

from fairloop.db import Database

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND query LIKE $1"
)
_GATE = 4_711


@asynccontextmanager
async def connected(db: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(db.url)
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def locked(db: Database, statement: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A transaction that has run this statement and keeps its locks while the block runs."""
    async with connected(db) as connection, connection.transaction():
        await connection.execute(statement)
        yield connection


async def waiting(db: Database, count: int, query: str = "%") -> None:
    """Until so many sessions of this database wait for a lock, with a statement like `query`."""
    async with connected(db) as connection:

        async def wait() -> bool:
            return bool(await connection.fetchval(WAITING, query) >= count)

        await until(wait, f"{count} sessions wait for a lock")


@asynccontextmanager
async def deletes_stopped(db: Database) -> AsyncIterator[None]:
    """Whoever deletes from the outbox waits while the block runs; its session is ended with the block, the deletion
    undone."""
    async with connected(db) as connection:
        await connection.execute(
            "CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_advisory_xact_lock_shared({_GATE}); RETURN OLD; END $$"
        )
        await connection.execute(
            "CREATE OR REPLACE TRIGGER gate BEFORE DELETE ON outbox"
            " FOR EACH ROW EXECUTE FUNCTION wait_at_gate()"
        )
        await connection.execute(f"SELECT pg_advisory_lock({_GATE})")
        yield
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
