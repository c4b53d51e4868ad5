"""One database connection kept for a statement that is run all day."""

from collections.abc import Sequence
from typing import Any

import asyncpg

SETTINGS = {
    "jit": "off",
    # planned once, for any arguments, and always through an index: planning took longer than running, and a plan
    # made while a table was empty must not scan it once it is full
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_mergejoin": "off",
}


class Line:
    """Opened when first needed, and again after it broke. For one statement at a time, each its own transaction."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of a statement, committed. Raises what asyncpg raises; OSError when nobody answers."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=5, server_settings=SETTINGS)
        try:
            return await self._connection.fetch(statement, *arguments)
        except asyncpg.PostgresError:
            raise  # the statement's, or the connection is closed and will be opened anew
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """At once, whatever is under way."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
