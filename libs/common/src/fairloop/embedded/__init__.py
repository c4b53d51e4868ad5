"""What the embedded installation brings along: PostgreSQL, started and stopped by ourselves."""

from fairloop.embedded.errors import EmbeddedError
from fairloop.embedded.postgres import PostgresServer
from fairloop.embedded.temporary import temporary_postgres

__all__ = ["EmbeddedError", "PostgresServer", "temporary_postgres"]
