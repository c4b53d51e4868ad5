"""Connections to the database that holds the embedded log, and its tables."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TypeVar

import asyncpg
from asyncpg import Connection

from fairloop.log.port import LogMovedError, LogUnavailableError

T = TypeVar("T")

CHANNEL = "fairloop_log"
"""NOTIFY payloads: `append TOPIC TOPIC …` after an append, `group NAME` after a change of membership."""

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 30.0
CLOSE_SECONDS = 2.0
# InternalClientError: asyncpg's answer to a statement on a connection that the server is just closing
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

SCHEMA_VERSION = 1
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS fairloop_log;
CREATE TABLE schema_version (version integer NOT NULL);
CREATE TABLE topic (name text PRIMARY KEY, partitions integer NOT NULL CHECK (partitions > 0));
CREATE TABLE head (
    topic text NOT NULL REFERENCES topic, part integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0, first_offset bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, part)
) WITH (fillfactor = 50);
CREATE TABLE record (
    topic text NOT NULL, part integer NOT NULL, "offset" bigint NOT NULL,
    key bytea NOT NULL, value bytea NOT NULL, headers bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (topic, part, "offset")
);
COMMENT ON COLUMN record.headers IS 'MessagePack: array of [name, bytes]';
CREATE TABLE group_offset (
    group_name text NOT NULL, topic text NOT NULL, part integer NOT NULL,
    next_offset bigint NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (group_name, topic, part)
) WITH (fillfactor = 50);
CREATE TABLE group_member (
    member text PRIMARY KEY, joined bigint GENERATED ALWAYS AS IDENTITY,
    group_name text NOT NULL, topics text[] NOT NULL, lock_key bigint NOT NULL, heartbeat_at timestamptz NOT NULL
) WITH (fillfactor = 50);
"""


class Link:
    """One connection, opened when first needed and again after it was lost; one user at a time."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do the work on the connection. Raises LogUnavailableError; the connection is dropped then."""
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._url, self._name)
            with dropped_on_error(self._connection):
                return await work(self._connection)

    async def close(self) -> None:
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await disconnect(connection)


async def connect(url: str, name: str) -> Connection:
    """A connection tuned for reading by offset: always along the primary key, whatever the statistics say.

    Raises LogUnavailableError.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={
                "application_name": f"fairloop log {name}",
                "search_path": "fairloop_log",
                "enable_seqscan": "off",
                "enable_bitmapscan": "off",
                "jit": "off",
            },
        )
    except UNREACHABLE as error:
        raise LogUnavailableError(f"{type(error).__name__}: {error}") from error


async def disconnect(connection: Connection) -> None:
    """Say goodbye to the server, or at least let go."""
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except UNREACHABLE:
        connection.terminate()


@contextmanager
def dropped_on_error(connection: Connection) -> Iterator[None]:
    """Give the connection up when the block fails: the server then ends its transaction and frees its locks.

    Errors of the database or of the way to it become LogUnavailableError.
    """
    try:
        yield
    except UNREACHABLE as error:
        connection.terminate()
        raise LogUnavailableError(f"{type(error).__name__}: {error}") from error
    except BaseException:
        connection.terminate()
        raise


def lock_key(*parts: object) -> int:
    """A key for an advisory lock that is the same in every process: 64 bits of SHA-256, signed."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)


async def ensure_schema(connection: Connection) -> None:
    """Make the tables when there are none. Raises LogMovedError, or RuntimeError when they are of another version."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key("schema"))
        if await connection.fetchval("SELECT to_regclass('fairloop_log.schema_version')") is None:
            await connection.execute(SCHEMA)
            await connection.execute("INSERT INTO schema_version VALUES ($1)", SCHEMA_VERSION)
        found = await connection.fetchval("SELECT version FROM schema_version")
        moved = await connection.fetchval("SELECT to_regclass('fairloop_log.moved')")
        if moved is not None:
            raise LogMovedError(await connection.fetchval("SELECT url FROM moved"))
    if found != SCHEMA_VERSION:
        raise RuntimeError(f"the log's tables are of version {found}; this program knows {SCHEMA_VERSION}")
