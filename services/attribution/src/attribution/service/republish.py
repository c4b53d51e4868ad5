"""Everything this service publishes, as it stands: for a consumer that starts from nothing."""

from collections.abc import AsyncIterator

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service.directory_import import KINDS
from attribution.service.interactions import as_posted, told
from attribution.tables import InteractionRow, ResponseRow, ResultRow
from fairloop.events import AttributionResult, EventData
from fairloop.service import Runtime


async def republish(runtime: Runtime, session: AsyncSession) -> AsyncIterator[EventData]:
    """The directory, the interactions, then every attribution in force, in the versions they have."""
    for kind in KINDS:
        async for row in await session.stream_scalars(select(kind).order_by(kind.id)):
            yield row.event()
    published = select(InteractionRow).where(InteractionRow.version > 0).order_by(InteractionRow.id)
    async for interaction in await session.stream_scalars(published):
        yield told(as_posted(interaction), interaction.version)
    in_force = (
        select(ResultRow.payload)
        .join(
            ResponseRow,
            (ResponseRow.response_id == ResultRow.response_id)
            & (ResponseRow.result_version == ResultRow.version),
        )
        .order_by(ResultRow.response_id)
    )
    async for payload in await session.stream_scalars(in_force):
        yield msgspec.convert(payload, AttributionResult)
