"""For developers: write the next migration, and prove that none is missing, on a database that lives as long as it takes.

`python -m fairloop.schema_changes` proves for every service that the migrations make exactly the tables of its models.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from alembic.util import CommandError

from fairloop.db import Database
from fairloop.migrate import check, new_revision, upgrade
from fairloop.service import Service, load_service
from fairloop.services import SERVICES
from fairloop.testing import temporary_database, temporary_postgres


async def write_revision(service: Service, message: str) -> Path:
    """Write a service's next migration from what its models have and its migrations have not."""
    with temporary_postgres() as postgres:
        async with temporary_database(postgres) as db:
            await upgrade(service, db)
            return await new_revision(service, db, message)


async def each_service() -> AsyncIterator[tuple[Service, Database]]:
    """Every service with an empty database, which goes when the next one is asked for."""
    with temporary_postgres() as postgres:
        for package in SERVICES.values():
            async with temporary_database(postgres) as db:
                yield load_service(package), db


async def _check_all() -> int:
    failed = 0
    async for service, db in each_service():
        await upgrade(service, db)
        try:
            await check(service, db)
        except CommandError as error:
            failed += 1
            print(f"{service.name}: {error}")
        else:
            print(f"{service.name}: models == migrations")
    return failed


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_check_all()))
