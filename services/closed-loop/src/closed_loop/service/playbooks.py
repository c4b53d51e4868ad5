"""What the playbooks in force allow."""

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.service.documents import newest
from closed_loop.tables import PlaybookDocument


async def outcomes_by_track(session: AsyncSession) -> dict[str, tuple[str, ...]]:
    """Track → the ids of the outcomes its playbook names."""
    rows = await session.scalars(newest(PlaybookDocument))
    return {row.id: tuple(one["id"] for one in row.document["outcomes"]) for row in rows}
