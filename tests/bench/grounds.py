"""What measurements run on: a durable PostgreSQL and a real Kafka, each started for one of them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairloop.embedded import PostgresServer


@contextmanager
def durable_postgres(folder: Path) -> Iterator[PostgresServer]:
    """fsync is on, as in production."""
    folder.mkdir()
    server = PostgresServer(
        folder / "postgres", password=secrets.token_urlsafe(24), log=folder / "postgres.log"
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def new_database(postgres: PostgresServer, name: str) -> str:
    """Its URL, with a role of its own."""
    password = secrets.token_hex(16)
    await postgres.ensure_role_and_database(name, password)
    return postgres.url(name, role=name, password=password)
