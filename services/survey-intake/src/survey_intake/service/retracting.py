"""A wrong or test response is taken out everywhere."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.errors import NotFound
from fairloop.outbox import publish
from survey_intake.domain.revisions import Status
from survey_intake.service.publishing import state_of
from survey_intake.tables import Response


async def find(session: AsyncSession, response_id: UUID, *, lock: bool = False) -> Response:
    """Raises NotFound."""
    query = select(Response).where(Response.id == response_id)
    if lock:
        query = query.with_for_update(of=Response, key_share=True)
    response = (await session.scalars(query)).one_or_none()
    if response is None:
        raise NotFound(f"There is no response {response_id}.")
    return response


async def delete_response(session: AsyncSession, response_id: UUID) -> Response:
    """Deleted once; deleting it again, or an erased one, changes nothing."""
    response = await find(session, response_id, lock=True)
    if response.status == Status.ACTIVE:
        response.status = Status.DELETED
        response.version += 1
        await session.flush()
        await publish(session, [state_of(response)])
    return response
