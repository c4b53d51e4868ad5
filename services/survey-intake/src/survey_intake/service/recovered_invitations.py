"""Invitations as the log tells them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import Invitation
from fairloop.outbox import publish
from survey_intake.domain.revisions import Status
from survey_intake.keyring import Keyring
from survey_intake.service.erasing import erase_again
from survey_intake.service.invitations import retract, told
from survey_intake.service.loading import lock_customers
from survey_intake.tables import InvitationRow


async def take(
    session: AsyncSession, events: Sequence[Invitation], *, now: datetime, keyring: Keyring
) -> int:
    """A newer version replaces what is held; what was changed since the restore stays and is published above it.

    A retraction is never taken back, and an erased invitation says that its customer asked to be forgotten.
    """
    query = select(InvitationRow).where(InvitationRow.id.in_({event.invitation for event in events}))
    rows = await session.scalars(query.order_by(InvitationRow.id).with_for_update())
    held = {row.id: row for row in rows}
    changed: set[str] = set()
    unlike: dict[str, InvitationRow] = {}
    forgotten: set[str] = set()
    for event in events:
        row = held.get(event.invitation)
        if row is None:
            row = held[event.invitation] = InvitationRow(id=event.invitation, version=0, status=Status.ACTIVE)
            session.add(row)
        retracts = event.erased or event.deleted
        if event.erased and row.customer is not None:
            forgotten.add(row.customer)
        if row.version < event.version and (retracts or row.status == Status.ACTIVE):
            _become(row, event)
            changed.add(row.id)
        elif row.version <= event.version and told(row) != event:
            if retracts and row.status == Status.ACTIVE:
                _become(row, event)
            row.version = event.version + 1
            unlike[row.id] = row
    await session.flush()
    await publish(session, [told(row) for row in unlike.values()])
    for customer in sorted(forgotten):
        await erase_again(session, customer, now=now, keyring=keyring)
    named = {row.customer for row in held.values() if row.customer is not None}
    keys = await lock_customers(session, named, keyring.vault)
    late = [row for row in held.values() if row.customer is not None and keys[row.customer] is None]
    await retract(session, late, Status.ERASED)
    return len(changed | unlike.keys() | {row.id for row in late})


def _become(row: InvitationRow, event: Invitation) -> None:
    row.version = event.version
    row.status = Status.ERASED if event.erased else Status.DELETED if event.deleted else Status.ACTIVE
    row.interaction, row.customer, row.channel = event.interaction, event.customer, event.channel
    row.eligible_at, row.sent_at = event.eligible_at, event.sent_at
    row.troubles = msgspec.to_builtins(event.troubles)
