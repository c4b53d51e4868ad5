"""How many statements something costs: what a test holds down without looking at a clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asyncpg.connection import LoggedQuery
from sqlalchemy import event

from fairloop.db import Database

_NOT_COUNTED = (
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "WITH RECURSIVE typeinfo_tree",
    "SELECT current_setting('jit')",
)
"""A transaction's begin and end, and what the driver asks once a connection about a type it meets first."""


@asynccontextmanager
async def statements(db: Database) -> AsyncIterator[list[str]]:
    """The statements sent meanwhile on connections taken from the pool.

    SQLAlchemy tells of those it prepares itself, the driver of all others.
    """
    sent: list[str] = []

    def prepared(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    def asked(query: LoggedQuery) -> None:
        statement = " ".join(query.query.split())
        if not statement.startswith(_NOT_COUNTED):
            sent.append(statement)

    def taken(dbapi_connection: Any, *_: object) -> None:
        dbapi_connection.driver_connection.add_query_logger(asked)

    def given_back(dbapi_connection: Any, *_: object) -> None:
        dbapi_connection.driver_connection.remove_query_logger(asked)

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": prepared,
        "checkout": taken,
        "checkin": given_back,
    }
    for name, listener in listeners.items():
        event.listen(db.engine.sync_engine, name, listener)
    try:
        yield sent
        await asyncio.sleep(0)  # the driver tells in the event loop's next turn
    finally:
        for name, listener in listeners.items():
            event.remove(db.engine.sync_engine, name, listener)
