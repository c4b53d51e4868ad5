"""Opening what was sealed, for those who may see it."""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from survey_intake.domain.draft import Personal
from survey_intake.sealing import DataKey, Vault
from survey_intake.tables import Customer, Response, Revision


async def personal_of(session: AsyncSession, response: Response, vault: Vault) -> Personal:
    """The personal part of the revision shown; empty when there is none, no key any more, or it was deleted."""
    if response.status != "active":
        return Personal()
    sealed = await session.scalar(
        select(Revision.personal).where(
            Revision.response_id == response.id, Revision.number == response.current
        )
    )
    key = await _key_of(session, response, vault)
    if sealed is None or key is None:
        return Personal()
    return msgspec.json.decode(key.open(sealed, response.id.bytes), type=Personal)


async def _key_of(session: AsyncSession, response: Response, vault: Vault) -> DataKey | None:
    wrapped = response.wrapped_key
    if response.shown.customer is not None:
        wrapped = await session.scalar(
            select(Customer.wrapped_key).where(Customer.customer == response.shown.customer)
        )
    return None if wrapped is None else vault.unwrap(wrapped)
