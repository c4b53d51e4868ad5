"""Migrating a database that is empty, up to date, or of a newer version."""

from bonus.main import service as bonus
from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.migrate import upgrade
from fairloop.migration_state import pending_migrations, revisions
from fairloop.testing import temporary_database


async def test_a_release_that_is_taken_back_leaves_the_newer_database_as_it_is(
    postgres: PostgresServer,
) -> None:
    async with temporary_database(postgres) as db:
        assert await pending_migrations("bonus", db) == f"empty → {revisions('bonus')[-1]}"
        await upgrade(bonus, db)
        async with db.begin() as session:
            await sql(session, "UPDATE alembic_version SET version_num = '9999'")
        await upgrade(bonus, db)
        async with db.begin() as session:
            held = await sql(session, "SELECT version_num FROM alembic_version")
        assert [row[0] for row in held] == ["9999"]
        assert await pending_migrations("bonus", db) is None
