"""A role and a database for each service, closed to every other role."""

import asyncpg


async def ensure_role_and_database(admin_url: str, name: str, password: str) -> None:
    """A role and a database of the same name that only this role (and the superuser) can connect to."""
    connection = await asyncpg.connect(admin_url)
    try:
        role = await _quoted(connection, name)
        secret = await connection.fetchval("SELECT quote_literal($1::text)", password)
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        await connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD {secret}")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {role} OWNER {role}")
        for database in (name, "postgres", "template1"):
            closed = await _quoted(connection, database)
            await connection.execute(f"REVOKE ALL ON DATABASE {closed} FROM PUBLIC")
    finally:
        await connection.close()


async def _quoted(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> str:
    return str(await connection.fetchval("SELECT quote_ident($1::text)", name))
