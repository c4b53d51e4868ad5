"""A server for tests: fresh, fast, gone afterwards."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairloop.embedded.postgres import PostgresServer


@contextmanager
def temporary_postgres() -> Iterator[PostgresServer]:
    """A running server that is deleted at the end; until then what it committed survives its own crash, not the machine's."""
    with tempfile.TemporaryDirectory(prefix="fairloop-postgres-") as place:
        folder = Path(place, "postgres")
        log = Path(place, "log")
        server = PostgresServer(folder, password=secrets.token_urlsafe(24), log=log, durable=False)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
