"""A database put back to what it was, beside a log that was not."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import EVENT_TYPES, EventData, SurveyResponse
from fairloop.published import Published
from fairloop.service import Taken
from fairloop.testing import Box


async def _tables(session: AsyncSession) -> list[str]:
    rows = await sql(session, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [row[0] for row in rows]


async def _columns(session: AsyncSession, table: str) -> list[str]:
    """All but the generated ones."""
    rows = await sql(
        session,
        "SELECT quote_ident(column_name) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'",
        table,
    )
    return [row[0] for row in rows]


async def dump(box: Box) -> None:
    async with box.db.begin() as session:
        await sql(session, "CREATE SCHEMA dump")
        for table in await _tables(session):
            await sql(session, f'CREATE TABLE dump."{table}" AS TABLE public."{table}"')


async def put_back(box: Box) -> list[Published]:
    """Restore the dump; what the service has published until now, as the log still has it."""
    events = await told(box)
    async with box.db.begin() as session:
        await sql(session, "SET LOCAL session_replication_role = replica")
        for table in await _tables(session):
            columns = ", ".join(await _columns(session, table))
            await sql(session, f'DELETE FROM public."{table}"')
            await sql(
                session,
                f'INSERT INTO public."{table}" ({columns}) OVERRIDING SYSTEM VALUE'
                f' SELECT {columns} FROM dump."{table}"',
            )
    return events


async def told(box: Box) -> list[Published]:
    async with box.db.begin() as session:
        rows = await sql(session, "SELECT type, payload FROM outbox ORDER BY seq")
    return [
        Published(msgspec.json.decode(payload, type=EVENT_TYPES[type]), box.clock.now)
        for type, payload in rows
    ]


async def take(box: Box, events: Sequence[Published]) -> Taken:
    assert box.service.recovery is not None
    async with box.db.begin() as session:
        return await box.service.recovery.take(box.runtime, session, events)


async def finish(box: Box) -> list[str]:
    assert box.service.recovery is not None
    return list(await box.service.recovery.finish(box.runtime))


async def states(box: Box) -> dict[str, EventData]:
    """What the service says of everything it owns."""
    assert box.service.republish is not None
    async with box.db.begin() as session:
        return {
            event.key: without_origin(event) async for event in box.service.republish(box.runtime, session)
        }


def without_origin(event: EventData) -> EventData:
    """It is sealed, and sealed anew another text every time."""
    return replace(event, origin=None) if isinstance(event, SurveyResponse) else event


def newest(events: Sequence[Published]) -> dict[str, EventData]:
    """What consumers hold of them: of two under one version the one that came first."""
    held: dict[str, EventData] = {}
    for one in events:
        event = without_origin(one.event)
        if event.key not in held or held[event.key].version < event.version:
            held[event.key] = event
    return held
