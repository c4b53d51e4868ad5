"""Everything again, for a consumer that starts anew."""

from collections.abc import AsyncIterator

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import EventData
from fairloop.service import Runtime
from survey_intake.keyring import Keyring
from survey_intake.service.invitations import told
from survey_intake.service.publishing import origin_of, state_of
from survey_intake.tables import InvitationRow, Response

_PAGE = 500


async def republish(runtime: Runtime, session: AsyncSession) -> AsyncIterator[EventData]:
    """The current state of every invitation and response in the order of ids, with the version it was published with.

    With the platform's id, by which a restore finds a response again that the platform delivers once more; of an erased
    one not even that. Nothing is locked: one that changes meanwhile is published by its change, with a higher version.
    """
    async for row in await session.stream_scalars(select(InvitationRow).order_by(InvitationRow.id)):
        yield told(row)
    vault = Keyring.of(runtime.settings).vault
    page = select(Response).order_by(Response.id).limit(_PAGE)
    rows = (await session.scalars(page)).all()
    while rows:
        for response in rows:
            yield replace(state_of(response), origin=origin_of(response, vault))
        last = rows[-1].id
        session.expunge_all()
        rows = (await session.scalars(page.where(Response.id > last))).all()
