"""The end of an embedded log: nobody appends while it is carried over, and nobody ever again afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Connection
from asyncpg.exceptions import LockNotAvailableError

from fairloop.log.postgres_link import connect, disconnect, dropped_on_error

_OTHERS = """
SELECT coalesce(nullif(application_name, ''), 'somebody') || ' (process ' || pid || ' of the server)'
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY pid
"""


class LogInUseError(Exception):
    """Somebody is connected to the log; the message names them."""


class FrozenLog:
    """A log that nobody can append to or shorten, while this lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def close_for_good(self, moved_to: str) -> None:
        """Say where everything is now. Takes effect with the end of `frozen`.

        Without its heads no statement of a program that still runs can append; one that starts is told by
        `ensure_schema`. The records stay.
        """
        await self._connection.execute("CREATE TABLE moved (url text NOT NULL, at timestamptz DEFAULT now())")
        await self._connection.execute("INSERT INTO moved VALUES ($1)", moved_to)
        await self._connection.execute("ALTER TABLE head RENAME TO head_before_moving")


@asynccontextmanager
async def frozen(url: str) -> AsyncIterator[FrozenLog]:
    """Appending waits until the block ends. Raises LogInUseError, or LogUnavailableError.

    One transaction: with an error, or when this process is killed, the log is as it was.
    """
    connection = await connect(url, "mover")
    with dropped_on_error(connection):
        if others := await connection.fetch(_OTHERS):
            raise LogInUseError(f"the log is in use: {', '.join(row[0] for row in others)}")
        async with connection.transaction():
            try:
                await connection.execute("LOCK TABLE head IN EXCLUSIVE MODE NOWAIT")
            except LockNotAvailableError:
                raise LogInUseError("the log is in use: somebody is appending") from None
            yield FrozenLog(connection)
    await disconnect(connection)
