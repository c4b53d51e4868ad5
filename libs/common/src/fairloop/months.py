"""Tables partitioned by month: what grows for ever is kept, dropped and vacuumed month by month.

The partition column is a time, or a UUIDv7 of ours: its first 48 bits are milliseconds, so a month of ids is one range
and the primary key stays what it was. Partitions are made ahead by a job; what falls outside all of them waits in
`<table>_default` and is moved when its month is made.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, DateTime, MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql

AHEAD = 3
"""Months after the present one that there are partitions for."""

MOST_MOVED = 50_000
"""Rows outside all months that are moved at once; more stay where they are, which costs no more than a large table."""


@dataclass(frozen=True, slots=True)
class Monthly:
    """One table. `keep_days` None: for good; else a month goes when its last day is older."""

    table: str
    column: str
    by_id: bool
    keep_days: int | None = None

    def name(self, month: datetime) -> str:
        return f"{self.table}_{month:%Y_%m}"

    def bound(self, month: datetime) -> str:
        """The first value of a month, as a literal."""
        return f"'{first_id(month) if self.by_id else month.isoformat()}'"

    def month_of_column(self) -> str:
        at = f"uuid_extract_timestamp({self.column})" if self.by_id else self.column
        return f"date_trunc('month', {at}, 'UTC')"


def by_month(column: str, *, keep_days: int | None = None) -> dict[str, Any]:
    """Arguments of a Table that make it one; `create_all` makes the default partition only."""
    return {
        "postgresql_partition_by": f"RANGE ({column})",
        "info": {"keep_days": keep_days},
        "listeners": [("after_create", _create_default)],
    }


def monthly_tables(metadata: MetaData) -> list[Monthly]:
    """The tables of a service that are partitioned by month."""
    return [
        Monthly(table.name, column, not isinstance(table.c[column].type, DateTime), table.info["keep_days"])
        for table in metadata.sorted_tables
        if (column := _column_of(table)) is not None
    ]


def first_id(at: datetime) -> UUID:
    """The lowest UUIDv7 of a moment: no id made earlier is higher, none made later is lower."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def month_of(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def months_from(month: datetime, count: int) -> Iterator[datetime]:
    for _ in range(count):
        yield month
        month = following(month)


def following(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


async def held_months(session: AsyncSession, table: Monthly) -> list[datetime]:
    """The months there are partitions for, in order."""
    rows = await sql(
        session,
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE inhparent = $1::text::regclass AND child.relname <> $2",
        table.table,
        f"{table.table}_default",
    )
    ends = (str(name).removeprefix(f"{table.table}_") for (name,) in rows)
    return sorted(datetime.strptime(end, "%Y_%m").replace(tzinfo=UTC) for end in ends)


async def rows_outside(session: AsyncSession, table: Monthly, most: int) -> int:
    """Rows of the default partition, counted up to `most`."""
    rows = await sql(
        session, f"SELECT count(*) FROM (SELECT FROM {table.table}_default LIMIT {most}) AS outside"
    )
    count: int = rows[0][0]
    return count


async def missing_months(session: AsyncSession, table: Monthly, now: datetime) -> list[datetime]:
    """Those ahead, and those that rows wait for outside all months."""
    wanted = set(months_from(month_of(now), AHEAD + 1))
    if 0 < await rows_outside(session, table, MOST_MOVED + 1) <= MOST_MOVED:
        only = f" WHERE uuid_extract_version({table.column}) = 7" if table.by_id else ""
        rows = await sql(
            session, f"SELECT DISTINCT {table.month_of_column()} FROM {table.table}_default{only}"
        )
        wanted |= {month_of(at) for (at,) in rows}
    return sorted(wanted - set(await held_months(session, table)))


async def make_month(session: AsyncSession, table: Monthly, month: datetime) -> int:
    """Make one partition, in the session's transaction; returns how many rows moved into it.

    Attaching leaves readers and writers of the other months alone; only the default partition is locked.
    """
    name, start, end = table.name(month), table.bound(month), table.bound(following(month))
    await sql(session, f"LOCK TABLE {table.table}_default IN ACCESS EXCLUSIVE MODE")
    await sql(session, f"CREATE TABLE {name} (LIKE {table.table} INCLUDING ALL)")
    moved = await sql(
        session,
        f"WITH moved AS (DELETE FROM {table.table}_default"
        f" WHERE {table.column} >= {start} AND {table.column} < {end} RETURNING *),"
        f" kept AS (INSERT INTO {name} SELECT * FROM moved) SELECT count(*) FROM moved",
    )
    await sql(
        session, f"ALTER TABLE {table.table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
    )
    count: int = moved[0][0]
    return count


async def drop_month(session: AsyncSession, table: Monthly, month: datetime) -> int:
    """Drop one partition, in the session's transaction; returns how many rows it had."""
    name = table.name(month)
    rows = await sql(session, f"SELECT count(*) FROM {name}")
    await sql(session, f"DROP TABLE {name}")
    count: int = rows[0][0]
    return count


def divide(connection: Connection, table: Monthly, key: Sequence[str]) -> None:
    """For a migration: make an existing table a partitioned one, its rows in their months. Indexes have to follow.

    `key` becomes the primary key. The rows are copied while the table is locked.
    """
    name = table.table
    only = f" WHERE uuid_extract_version({table.column}) = 7" if table.by_id else ""
    rows = connection.execute(text(f"SELECT DISTINCT {table.month_of_column()} FROM {name}{only}"))
    months = {month_of(at) for (at,) in rows} | set(months_from(month_of(datetime.now(UTC)), AHEAD + 1))
    parts = [f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT"] + [
        f"CREATE TABLE {table.name(month)} PARTITION OF {name}"
        f" FOR VALUES FROM ({table.bound(month)}) TO ({table.bound(following(month))})"
        for month in sorted(months)
    ]
    _copy(connection, name, f" PARTITION BY RANGE ({table.column})", parts, key)


def unite(connection: Connection, table: Monthly, key: Sequence[str]) -> None:
    """For a migration: the way back."""
    _copy(connection, table.table, "", [], key)


def _copy(connection: Connection, name: str, kind: str, parts: Sequence[str], key: Sequence[str]) -> None:
    for statement in (
        f"ALTER TABLE {name} RENAME TO {name}_before",
        f"CREATE TABLE {name} (LIKE {name}_before INCLUDING ALL EXCLUDING INDEXES){kind}",
        *parts,
        f"INSERT INTO {name} SELECT * FROM {name}_before",
        f"DROP TABLE {name}_before",
        f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(key)})",
    ):
        connection.execute(text(statement))


def months_ahead(held: Iterable[datetime], now: datetime) -> int:
    """How many months after the present one follow without a hole; -1 when the present one is missing."""
    known = set(held)
    month, count = month_of(now), -1
    while month in known:
        month, count = following(month), count + 1
    return count


def _column_of(table: Table) -> str | None:
    kind: str | None = table.dialect_options["postgresql"]["partition_by"]
    return kind.removeprefix("RANGE (").removesuffix(")") if kind else None


def _create_default(table: Table, connection: Connection, **_: object) -> None:
    connection.execute(text(f"CREATE TABLE {table.name}_default PARTITION OF {table.name} DEFAULT"))
