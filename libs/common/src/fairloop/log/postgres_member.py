"""A worker's membership in a consumer group of the embedded log: one row, and one connection that holds locks.

A session advisory lock stands for the member itself, one more for each partition it has; PostgreSQL frees them when
the connection ends, however it ends. A member whose connection lives but who does not report any more (a stopped
process) is ended by the others.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Self
from uuid import uuid4

from asyncpg import Connection

from fairloop.log.port import LogUnavailableError, TopicPartition
from fairloop.log.postgres_link import CHANNEL, connect, disconnect, dropped_on_error, lock_key

HEARTBEAT_SECONDS = 3.0
SILENT_SECONDS = 15.0

JOIN = """
WITH me AS (
    INSERT INTO group_member (member, group_name, topics, lock_key, heartbeat_at)
    VALUES ($1, $2, $3, $4, clock_timestamp())
)
SELECT pg_notify($5, 'group ' || $2)
"""
MEMBERS = """
SELECT member, topics, heartbeat_at < clock_timestamp() - make_interval(secs => $2) AS silent, held.pid
FROM group_member
LEFT JOIN pg_locks AS held ON held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (held.classid::bigint << 32) | held.objid::bigint = lock_key
WHERE group_name = $1
ORDER BY joined
"""
REMOVE = """
WITH gone AS (DELETE FROM group_member WHERE member = ANY($1::text[]))
SELECT pg_terminate_backend(pid) FROM unnest($2::integer[]) AS pid
UNION ALL SELECT pg_notify($3, 'group ' || $4) IS NULL
"""
LOCK = "SELECT pg_try_advisory_lock(key) FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (key, place) ORDER BY place"
UNLOCK = """
SELECT pg_advisory_unlock(key) FROM unnest($1::bigint[]) AS key
UNION ALL SELECT pg_notify($2, 'group ' || $3) IS NULL
"""
LEAVE = """
WITH gone AS (DELETE FROM group_member WHERE member = $1)
SELECT pg_advisory_unlock_all() UNION ALL SELECT pg_notify($2, 'group ' || $3)
"""


class Member:
    def __init__(self, connection: Connection, group: str) -> None:
        self.name = str(uuid4())
        self._connection = connection
        self._group = group
        self._reported = 0.0

    @classmethod
    async def join(
        cls, url: str, group: str, topics: Collection[str], *, on_notify: Callable[[str], None]
    ) -> Self:
        """Become the newest member. `on_notify` gets every payload of the channel, and `lost` with the connection."""
        connection = await connect(url, f"member of {group}")
        member = cls(connection, group)
        with dropped_on_error(connection):
            connection.add_termination_listener(lambda _: on_notify("lost"))
            await connection.add_listener(
                CHANNEL, lambda _connection, _pid, _channel, payload: on_notify(payload)
            )
            key = lock_key("member", member.name)
            await connection.execute("SELECT pg_advisory_lock($1)", key)
            await connection.execute(JOIN, member.name, group, sorted(topics), key, CHANNEL)
        return member

    async def members(self) -> dict[str, frozenset[str]]:
        """The live members with their topics, in the order they joined; dead and silent ones are removed.

        Raises LogUnavailableError, also when the others removed this one.
        """
        with dropped_on_error(self._connection):
            await self._report()
            rows = await self._connection.fetch(MEMBERS, self._group, SILENT_SECONDS)
            if self.name not in {row["member"] for row in rows}:
                self._connection.terminate()
                raise LogUnavailableError("removed from the group for being silent")
            gone = [row for row in rows if row["pid"] is None or row["silent"]]
            if gone:
                names = [row["member"] for row in gone]
                pids = [row["pid"] for row in gone if row["pid"] is not None]
                await self._connection.execute(REMOVE, names, pids, CHANNEL, self._group)
        return {row["member"]: frozenset(row["topics"]) for row in rows if row not in gone}

    async def lock(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Those of the partitions that nobody else holds; they are ours now."""
        wanted = sorted(partitions)
        with dropped_on_error(self._connection):
            rows = await self._connection.fetch(LOCK, self._keys(wanted))
        return [partition for partition, (locked,) in zip(wanted, rows, strict=True) if locked]

    async def unlock(self, partitions: Iterable[TopicPartition]) -> None:
        with dropped_on_error(self._connection):
            await self._connection.execute(UNLOCK, self._keys(partitions), CHANNEL, self._group)

    async def leave(self) -> None:
        """Never raises: when the connection is gone the others notice all the same."""
        try:
            with dropped_on_error(self._connection):
                await self._connection.execute(LEAVE, self.name, CHANNEL, self._group)
        except LogUnavailableError:
            return
        await disconnect(self._connection)

    def drop(self) -> None:
        """Let go without a word; the server frees the locks."""
        self._connection.terminate()

    async def _report(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._reported > HEARTBEAT_SECONDS:
            self._reported = now
            await self._connection.execute(
                "UPDATE group_member SET heartbeat_at = clock_timestamp() WHERE member = $1", self.name
            )

    def _keys(self, partitions: Iterable[TopicPartition]) -> list[int]:
        return [lock_key("partition", self._group, *partition) for partition in partitions]
