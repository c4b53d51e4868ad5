"""After a restore: the directory and the attributions as the log tells them, and what no log can tell."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import locks, recovered_directory, recovered_interactions, recovered_results
from attribution.service.attribute import CHUNK, Moment, irreproducible
from attribution.tables import EmployeeRow, ResponseRow
from fairloop.events import AttributionResult, Interaction
from fairloop.published import Published
from fairloop.service import Recovery, Runtime, Taken

_SHOWN = 20


async def take(runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
    """A page of one of the topics. Nobody attributes or changes the directory meanwhile."""
    await locks.changing_directory(session)
    await locks.changing_rules(session)
    results = [one for one in events if isinstance(one.event, AttributionResult)]
    interactions = [one.event for one in events if isinstance(one.event, Interaction)]
    entries = [one.event for one in events if not isinstance(one.event, AttributionResult | Interaction)]
    at = Moment(runtime.clock(), runtime.settings.zone)
    changed = await recovered_directory.take(session, entries)
    changed += await recovered_interactions.take(session, interactions)
    return Taken(changed + await recovered_results.take(session, results, at=at))


async def lost(runtime: Runtime) -> Sequence[str]:
    """Names, and the rules behind attributions that cannot be made again."""
    at = Moment(runtime.clock(), runtime.settings.zone)
    async with runtime.db.begin() as session:
        nameless = list(
            await session.scalars(
                select(EmployeeRow.id)
                .where(EmployeeRow.name == recovered_directory.NAMELESS)
                .order_by(EmployeeRow.id)
            )
        )
    told = (
        [f"Names and e-mail addresses are not on the log; put again: {_some(nameless)}."] if nameless else []
    )
    if unlike := await _irreproducible(runtime, at):
        told.append(
            f"{len(unlike)} attributions are in force as they were published, but the rules held now would make "
            "others of them. Put again the taxonomies, matrices, interactions and disputes entered since the "
            f"backup, before these answers are edited: {_some(unlike)}."
        )
    return told


recovery = Recovery(take=take, finish=lost)


async def _irreproducible(runtime: Runtime, at: Moment) -> list[str]:
    unlike: list[str] = []
    last = UUID(int=0)
    while True:
        async with runtime.db.begin() as session:
            page = select(ResponseRow.response_id).where(
                ResponseRow.response_id > last, ResponseRow.version > 0
            )
            ids = list(await session.scalars(page.order_by(ResponseRow.response_id).limit(CHUNK)))
            if not ids:
                return unlike
            await locks.attributing(session)
            unlike += [str(id) for id in await irreproducible(session, ids, at=at)]
            last = ids[-1]


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
