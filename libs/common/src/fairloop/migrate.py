"""Migrations of one service's database, with Alembic.

`python -m fairloop.migrate check` proves for every service that the migrations make exactly the tables of its
models.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from importlib import import_module
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


def load_service(package: str) -> Service:
    """The Service that a package's main.py describes."""
    service = import_module(f"{package}.main").service
    assert isinstance(service, Service)
    return service


SERVICES = {
    "survey-intake": "survey_intake",
    "attribution": "attribution",
    "kpi-aggregator": "kpi_aggregator",
    "closed-loop": "closed_loop",
    "bonus": "bonus",
}
"""Service name → the package that holds it."""


async def _check_all() -> int:
    from fairloop.testing import temporary_database, temporary_postgres  # noqa: PLC0415 - needs the embedded extra

    failed = 0
    with temporary_postgres() as postgres:
        for package in SERVICES.values():
            service = load_service(package)
            async with temporary_database(postgres) as db:
                await upgrade(service, db)
                try:
                    await check(service, db)
                except Exception as error:
                    failed += 1
                    print(f"{service.name}: {error}")
                else:
                    print(f"{service.name}: models == migrations")
    return failed


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_check_all()))
