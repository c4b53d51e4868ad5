"""Invitations as their sender tells them: who could be asked, who was, and what went wrong with the address."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.errors import NotFound
from fairloop.events import ContactTrouble, Invitation
from fairloop.outbox import publish
from survey_intake.domain.invitations import Outcome, PostedInvitation, Standing, Trouble, outcomes
from survey_intake.domain.revisions import Status
from survey_intake.keyring import Keyring
from survey_intake.service.loading import lock_customers
from survey_intake.tables import InvitationRow

_KEEP = """
INSERT INTO invitation (id, version, status, interaction, customer, channel, eligible_at, sent_at, troubles)
SELECT id, 1, 'active', interaction, customer, channel, eligible_at, sent_at, troubles
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::jsonb[])
     AS new (id, interaction, customer, channel, eligible_at, sent_at, troubles)
ON CONFLICT (id) DO UPDATE SET
    version = invitation.version + 1, interaction = excluded.interaction, customer = excluded.customer,
    channel = excluded.channel, eligible_at = excluded.eligible_at, sent_at = excluded.sent_at,
    troubles = excluded.troubles
WHERE invitation.status = 'active'
RETURNING id, version
"""

_troubles = msgspec.json.Encoder()


async def post(
    session: AsyncSession, posted: Sequence[PostedInvitation], *, keyring: Keyring
) -> list[Outcome]:
    """One outcome per item, in order. Customers are locked before invitations, as everywhere."""
    customers = await lock_customers(session, {item.customer for item in posted}, keyring.vault)
    erased = {customer for customer, key in customers.items() if key is None}
    held = await _held(session, sorted({item.id for item in posted}))
    results = outcomes(posted, held, erased)
    newest = {item.id: item for item, outcome in zip(posted, results, strict=True) if outcome != "ignored"}
    changed = [item for id, item in sorted(newest.items()) if item != held.get(id)]
    await publish(session, await _save(session, changed))
    return results


async def delete_invitation(session: AsyncSession, id: str) -> InvitationRow:
    """A wrong or test invitation: deleted once; deleting it again changes nothing. Raises NotFound."""
    row = await session.get(InvitationRow, id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no invitation {id}.")
    if row.status == Status.ACTIVE:
        await retract(session, [row], Status.DELETED)
    return row


async def erase_invitations(session: AsyncSession, customer: str) -> int:
    """Those of a customer who is forgotten; their number. The caller holds the customer's row."""
    query = select(InvitationRow).where(InvitationRow.customer == customer).order_by(InvitationRow.id)
    rows = (await session.scalars(query.with_for_update())).all()
    await retract(session, rows, Status.ERASED)
    return len(rows)


async def retract(session: AsyncSession, rows: Sequence[InvitationRow], status: Status) -> None:
    """The next version says that it is taken back. The caller holds the rows."""
    for row in rows:
        row.status = status
        row.version += 1
        row.customer, row.channel, row.sent_at, row.troubles = None, None, None, []
    await session.flush()
    await publish(session, [told(row) for row in rows])


def told(row: InvitationRow) -> Invitation:
    """The newest published state, also of a retracted one."""
    return Invitation(
        version=row.version,
        invitation=row.id,
        interaction=row.interaction,
        customer=row.customer,
        channel=row.channel,
        eligible_at=row.eligible_at,
        sent_at=row.sent_at,
        troubles=msgspec.convert(row.troubles, tuple[ContactTrouble, ...]),
        erased=row.status == Status.ERASED,
        deleted=row.status == Status.DELETED,
    )


async def _held(session: AsyncSession, ids: Sequence[str]) -> dict[str, Standing]:
    query = select(InvitationRow).where(InvitationRow.id.in_(ids)).order_by(InvitationRow.id)
    return {row.id: _standing(row) for row in await session.scalars(query.with_for_update())}


def _standing(row: InvitationRow) -> Standing:
    if row.customer is None or row.channel is None:
        return "retracted"
    return PostedInvitation(
        id=row.id,
        interaction=row.interaction,
        customer=row.customer,
        channel=row.channel,
        eligible_at=row.eligible_at,
        sent_at=row.sent_at,
        troubles=msgspec.convert(row.troubles, tuple[Trouble, ...]),
    )


async def _save(session: AsyncSession, items: Sequence[PostedInvitation]) -> list[Invitation]:
    """Locks the rows, and says what they are from here on."""
    if not items:
        return []
    rows = await sql(
        session,
        _KEEP,
        [item.id for item in items],
        [item.interaction for item in items],
        [item.customer for item in items],
        [item.channel for item in items],
        [item.eligible_at for item in items],
        [item.sent_at for item in items],
        [_troubles.encode(item.troubles).decode() for item in items],
    )
    versions: dict[Any, int] = {row.id: row.version for row in rows}
    return [
        Invitation(
            version=versions[item.id],
            invitation=item.id,
            interaction=item.interaction,
            customer=item.customer,
            channel=item.channel,
            eligible_at=item.eligible_at,
            sent_at=item.sent_at,
            troubles=msgspec.convert(item.troubles, tuple[ContactTrouble, ...], from_attributes=True),
        )
        for item in items
        if item.id in versions
    ]
