"""Who waits for whom. Everybody takes what they need in this order, so nobody waits in a circle:

1. directory   exclusive for whoever writes org units, roles, people, assignments, accounts
2. rules       shared for whoever attributes; exclusive for whoever changes what that rests on
3. interactions, by id (in buckets)   exclusive for whoever posts one; shared for whoever makes a response look for one
4. the response's row, by id; whoever attributes has it
5. its disputes

So a response and its interaction that arrive in two transactions at once always see each other: the second
begins to look when the first has committed. All are held until the transaction ends.
"""

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql

_SPACE = 0x4154  # the first key of our advisory locks
_BUCKETS = 1024  # bounds how many locks a batch holds
_DIRECTORY = _BUCKETS
_RULES = _BUCKETS + 1

SHARED = f"SELECT pg_advisory_xact_lock_shared({_SPACE}, k) FROM unnest({{keys}}::int[]) AS k"
"""Takes the locks of these keys shared, in their order."""


async def changing_directory(session: AsyncSession) -> None:
    await _exclusive(session, [_DIRECTORY])


async def changing_rules(session: AsyncSession) -> None:
    await _exclusive(session, [_RULES])


async def attributing(session: AsyncSession) -> None:
    await _shared(session, [_RULES])


def to_attribute(interactions: Iterable[str]) -> list[int]:
    """The keys of `attributing` and `looking_for` together, in order, for a statement that takes them itself."""
    return [_RULES, *_buckets(interactions)]


async def posting_interactions(session: AsyncSession, ids: Iterable[str]) -> None:
    await _exclusive(session, _buckets(ids))


async def looking_for(session: AsyncSession, ids: Iterable[str]) -> None:
    await _shared(session, _buckets(ids))


def _buckets(ids: Iterable[str]) -> list[int]:
    return sorted({crc32(id.encode()) % _BUCKETS for id in ids})


async def _exclusive(session: AsyncSession, keys: list[int]) -> None:
    await sql(session, "SELECT pg_advisory_xact_lock($1::int, k) FROM unnest($2::int[]) AS k", _SPACE, keys)


async def _shared(session: AsyncSession, keys: list[int]) -> None:
    await sql(session, SHARED.format(keys="$1"), keys)
