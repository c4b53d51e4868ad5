"""What is not kept for ever: jobs described as data, worked off in small transactions.

A job may be run by several workers at once: one holds its lock, the others pass on. What it has done is written down
in its own transactions, so `job_run` never says more or less than what is gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Database, sql
from fairloop.months import Monthly, drop_month, first_id, following, held_months, make_month, missing_months

CHUNK = 1000
_LOCK_MILLISECONDS = 500
"""Longest wait for a lock on a whole table: whoever comes after us waits as long."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Rows of `table` that are older than `keep` says go, or lose the columns in `blank`.

    `age` is the column that says how old a row is: a time, or with `by_id` a UUIDv7. It wants an index that also
    covers `where`. `keep` reads the service's settings; None keeps for good.
    """

    job: str
    table: str
    key: tuple[str, ...]
    age: str
    keep: Callable[[Any], timedelta | None]
    where: str = "true"
    blank: tuple[str, ...] = ()
    by_id: bool = False
    chunk: int = CHUNK

    def statement(self) -> str:
        """Takes the moment before which rows are too old; returns a row for each that was dealt with."""
        same = " AND ".join(f"aged.{column} = old.{column}" for column in self.key)
        gone = (
            f"UPDATE {self.table} AS aged SET {', '.join(f'{column} = NULL' for column in self.blank)} FROM old"
            if self.blank
            else f"DELETE FROM {self.table} AS aged USING old"
        )
        return (
            f"WITH old AS (SELECT {', '.join(self.key)} FROM {self.table}"
            f" WHERE {self.age} < $1 AND ({self.where}) ORDER BY {self.age} LIMIT {self.chunk}"
            f" FOR UPDATE SKIP LOCKED) {gone} WHERE {same} RETURNING 1"
        )


def days(count: int) -> timedelta | None:
    """A setting in days; 0 keeps for good."""
    return timedelta(days=count) if count else None


async def forget(db: Database, retention: Retention, settings: Any, now: datetime) -> int:
    """Work a job off, chunk by chunk; returns how many rows this worker dealt with."""
    keep = retention.keep(settings)
    before = None if keep is None else now - keep
    total = 0
    done = False
    while not done:
        async with db.begin() as session:
            if not await alone(session, retention.job):
                return total
            gone = 0
            if before is not None:
                oldest = first_id(before) if retention.by_id else before
                gone = len(await sql(session, retention.statement(), oldest))
            done = gone < retention.chunk
            await note_run(session, retention.job, rows=gone, now=now if done else None)
        total += gone
    return total


async def keep_months(db: Database, table: Monthly, now: datetime) -> None:
    """Make the months ahead and drop those that are no longer kept, each in a transaction of its own.

    Jobs: `<table>.months`, whose rows are partitions made, and `<table>.dropped`, whose rows went with theirs.
    """
    made, dropped = f"{table.table}.months", f"{table.table}.dropped"
    jobs = (made,) if table.keep_days is None else (made, dropped)
    done = False
    while not done:
        async with db.begin() as session:
            if not await alone(session, made, lock_tables=True):
                return
            missing = await missing_months(session, table, now)
            outdated = _outdated(table, await held_months(session, table), now)
            if missing:
                await make_month(session, table, missing[0])
                await note_run(session, made, rows=1, now=None)
            elif outdated:
                await note_run(session, dropped, rows=await drop_month(session, table, outdated[0]), now=None)
            else:
                done = True
                for job in jobs:
                    await note_run(session, job, rows=0, now=now)


def _outdated(table: Monthly, held: Sequence[datetime], now: datetime) -> list[datetime]:
    """The months whose last day is no longer kept."""
    if table.keep_days is None:
        return []
    return [month for month in held if following(month) <= now - timedelta(days=table.keep_days)]


async def alone(session: AsyncSession, job: str, *, lock_tables: bool = False) -> bool:
    """Whether this transaction is the only one at a job, until it ends."""
    if lock_tables:
        await sql(session, f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
    rows = await sql(session, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"job:{job}")
    return bool(rows[0][0])


async def note_run(session: AsyncSession, job: str, *, rows: int, now: datetime | None) -> None:
    """Add to what a job has done; `now` when it came to its end."""
    await sql(
        session,
        "INSERT INTO job_run AS held (job, last_success_at, rows_total) VALUES ($1, $2, $3)"
        " ON CONFLICT (job) DO UPDATE SET rows_total = held.rows_total + excluded.rows_total,"
        " last_success_at = coalesce(excluded.last_success_at, held.last_success_at)",
        job,
        now,
        rows,
    )
