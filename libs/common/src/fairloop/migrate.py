"""Migrations of one service's database, with Alembic."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from fairloop.db import Database
from fairloop.migration_state import pending_migrations, revisions, versions_folder
from fairloop.service import Service

_LOCK = 0x464C_4D49_4752  # one migration at a time, however many replicas start


@cache
def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("fairloop") / "alembic_env"))
    config.set_main_option("version_locations", str(versions_folder(package)))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _with(service: Service, connection: Connection) -> Config:
    config = _config(service.package)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = service.metadata
    return config


async def _run(service: Service, db: Database, action: Callable[[Config], object]) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.run_sync(lambda sync: action(_with(service, sync)))


async def upgrade(service: Service, db: Database, *, to: str = "head") -> None:
    """Bring the database to the newest version, or to a revision on the way, in one transaction.

    One that a newer version made is left as it is: that is how a release is taken back.
    """
    if revisions(service.package) and await pending_migrations(service.package, db) is None:
        return
    await _run(service, db, lambda config: command.upgrade(config, to))


async def check(service: Service, db: Database) -> None:
    """Raises alembic.util.CommandError when the models differ from what the migrations made."""
    await _run(service, db, command.check)


async def new_revision(service: Service, db: Database, message: str) -> Path:
    """Write the next migration from what the models have and the database has not."""
    versions = versions_folder(service.package)
    number = f"{len(list(versions.glob('[0-9]*.py'))) + 1:04d}"
    await _run(
        service, db, lambda config: command.revision(config, message, autogenerate=True, rev_id=number)
    )
    return next(versions.glob(f"{number}_*.py"))
