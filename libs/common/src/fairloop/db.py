"""PostgreSQL: one engine a process, sessions in one transaction, and which errors heal by trying again."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

# connection trouble, too many connections or shutdown, serialization failure and deadlock, lock not available
_DRIVER = "driver"
_ONCE_COMMITTED = "once_committed"
_TRANSIENT_CLASSES = ("08", "53", "57", "40", "55P03", "58")


class Database:
    """A pool of connections to one service's database. Nothing connects before the first use."""

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url = url
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        event.listen(self.engine.sync_engine, "checkin", _cut_if_in_transaction)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """By the driver itself, which knows the parameters of an address as libpq does (`sslmode`, …)."""
        return await asyncpg.connect(
            self.url,
            timeout=5,
            # plans are made for the arguments at hand: one made while a table was empty would scan it for ever
            server_settings={"jit": "off", "plan_cache_mode": "force_custom_plan"},
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end of the block, rolled back by an exception."""
        async with self._sessions.begin() as session:
            yield session
        for action in session.info.pop(_ONCE_COMMITTED, ()):
            action()

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.begin() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def _refuse_closed(connection: Any, _record: object, _lease: object) -> None:
    """A connection that ended is replaced, and with it all that are as old: SQLAlchemy does not see what the driver,
    asked directly, has raised, and would hand it out for ever."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the server closed this connection")


def _cut_if_in_transaction(connection: Any, record: Any) -> None:
    """A connection given back in a transaction, or while it may still begin one, is ended, and replaced when needed.

    Somebody was cancelled in their BEGIN, COMMIT or ROLLBACK. The next COMMIT on it would end a savepoint or nothing, and
    be lost with that transaction although it was answered. Cut off, not closed: that would wait for what was given up.
    """
    if connection is None:
        return
    driver = connection.driver_connection
    if driver.is_in_transaction() or driver._top_xact is not None:
        driver.terminate()
        record.invalidate()


class Row(asyncpg.Record):
    """One row of `sql`: by position, by name (`row["x"]`, `row.x`), or unpacked."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


async def sql(session: AsyncSession, statement: str, *arguments: Any) -> Sequence[Row]:
    """Run one statement with `$1` arguments in the session's transaction; lists go to `unnest($1::type[])`.

    The driver is asked directly: SQLAlchemy's own way around it costs more time than a short statement takes.
    """
    driver = await _driver_of(session)
    return await driver.fetch(statement, *arguments, record_class=Row)


async def _driver_of(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """The driver's connection behind a session, in the session's transaction."""
    known: tuple[object, asyncpg.Connection[asyncpg.Record]] | None = session.info.get(_DRIVER)
    if known is not None and known[0] is _innermost(session):
        return known[1]
    pooled: Any = await (await session.connection()).get_raw_connection()
    driver: asyncpg.Connection[asyncpg.Record] = pooled.driver_connection
    if not driver.is_in_transaction():  # SQLAlchemy would begin with the first statement of its own
        await pooled.dbapi_connection._start_transaction()
    session.info[_DRIVER] = (_innermost(session), driver)
    return driver


def _innermost(session: AsyncSession) -> object:
    """A savepoint is only made when SQLAlchemy is asked for the connection, so each has to ask anew."""
    return session.sync_session.get_nested_transaction() or session.sync_session.get_transaction()


async def copy_in(
    session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add many rows at once, by COPY in the session's transaction. Conflicts and NULLs raise as with INSERT."""
    await session.flush()
    await sql(session, "SELECT 1")  # SQLAlchemy begins with the first statement, and COPY goes past it
    connection = await (await session.connection()).get_raw_connection()
    assert isinstance(connection.driver_connection, asyncpg.Connection)
    await connection.driver_connection.copy_records_to_table(table, records=rows, columns=columns)


def once_committed(session: AsyncSession, action: Callable[[], None]) -> None:
    """Do this after the session's transaction was committed, and never if it is not."""
    session.info.setdefault(_ONCE_COMMITTED, []).append(action)


def is_transient(error: BaseException | None) -> bool:
    """True when trying again later may help: database or network away, serialization failure, deadlock."""
    while error is not None:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        if isinstance(
            error, OSError | PoolTimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError
        ):
            return True
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str) and state.startswith(_TRANSIENT_CLASSES):
            return True
        error = error.__cause__ or getattr(error, "orig", None)
    return False
