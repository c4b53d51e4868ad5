"""A customer asks to be forgotten: the key is destroyed, and every response is retracted once."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.ids import uuid7
from fairloop.outbox import publish
from survey_intake.domain.draft import Person
from survey_intake.domain.revisions import Status
from survey_intake.keyring import Keyring
from survey_intake.sealing import UnreadableError
from survey_intake.service.invitations import erase_invitations
from survey_intake.service.personal import personal_of
from survey_intake.service.publishing import KEPT_FACTS, state_of
from survey_intake.service.quarantine import erase_mentions
from survey_intake.tables import Response, Revision


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did. The receipt stays the same when it is asked for again."""

    receipt: UUID
    erased_at: datetime
    responses: int
    invitations: int
    quarantined: int


async def erase_customer(session: AsyncSession, ref: str, *, now: datetime, keyring: Keyring) -> Erasure:
    """Also for a reference never seen: what still comes for it later is ignored."""
    return await _erase(session, keyring.customer(ref), {ref}, now=now, keyring=keyring)


async def erase_again(session: AsyncSession, customer: str, *, now: datetime, keyring: Keyring) -> Erasure:
    """The same by the keyed hash, for somebody of whom the log says that they were erased before."""
    return await _erase(session, customer, set(), now=now, keyring=keyring)


async def _erase(
    session: AsyncSession, customer: str, refs: set[str], *, now: datetime, keyring: Keyring
) -> Erasure:
    needles = refs | await _needles(session, customer, keyring)
    quarantined = await erase_mentions(session, needles, now=now, vault=keyring.vault)
    receipt, erased_at = await _destroy_key(session, customer, now)
    responses = await _erase_responses(session, customer)
    await publish(session, [state_of(response) for response in responses])
    return Erasure(
        receipt=receipt,
        erased_at=erased_at,
        responses=len(responses),
        invitations=await erase_invitations(session, customer),
        quarantined=quarantined,
    )


async def _needles(session: AsyncSession, customer: str, keyring: Keyring) -> set[str]:
    """What identifies the customer in words: the references and addresses known from the responses."""
    responses = (await session.scalars(select(Response).where(Response.customer == customer))).all()
    people: list[Person] = []
    for response in responses:
        with suppress(UnreadableError):
            personal = await personal_of(session, response, keyring.vault)
            people.extend([personal.customer] if personal.customer else [])
    return {told for person in people for told in (person.ref, person.email, person.phone) if told}


async def _destroy_key(session: AsyncSession, customer: str, now: datetime) -> tuple[UUID, datetime]:
    """Waits for deliveries of this customer that are being stored; later ones see the row without its key."""
    rows = await sql(
        session,
        "INSERT INTO customer AS held (customer, erased_at, receipt) VALUES ($1, $2, $3)"
        " ON CONFLICT (customer) DO UPDATE SET wrapped_key = NULL,"
        " erased_at = coalesce(held.erased_at, EXCLUDED.erased_at),"
        " receipt = coalesce(held.receipt, EXCLUDED.receipt) RETURNING receipt, erased_at",
        customer,
        now,
        uuid7(),
    )
    receipt, erased_at = rows[0]
    return receipt, erased_at


async def _erase_responses(session: AsyncSession, customer: str) -> list[Response]:
    """Responses of the customer, and those without one now that once named this customer."""
    named_once = exists().where(and_(Revision.response_id == Response.id, Revision.customer == customer))
    owned = or_(Response.customer == customer, and_(Response.customer.is_(None), named_once))
    query = (
        select(Response)
        .where(owned, Response.status != Status.ERASED)
        .order_by(Response.connection, Response.survey_id, Response.external_id)
        .with_for_update(of=Response, key_share=True)
        .execution_options(populate_existing=True)
    )
    responses = list((await session.scalars(query)).all())
    await blank(session, responses)
    await sql(
        session,
        "UPDATE revision SET personal = NULL, raw = NULL, content_hash = '', customer = NULL WHERE customer = $1",
        customer,
    )
    return responses


async def blank(session: AsyncSession, responses: Sequence[Response]) -> None:
    """The next version of each is an erased one, without anything that was answered."""
    for response in responses:
        response.status = Status.ERASED
        response.version += 1
        response.content_hash = b""
        response.customer = None
        response.wrapped_key = None
    await session.flush()
    await sql(
        session,
        "UPDATE revision SET personal = NULL, raw = NULL, content_hash = '', customer = NULL,"
        " interaction_ref = NULL, warnings = '[]', facts = jsonb_build_object('scores', '{}'::jsonb) ||"
        " (SELECT jsonb_object_agg(key, value) FROM jsonb_each(facts) WHERE key = ANY($2::text[]))"
        " WHERE response_id = ANY($1::uuid[])",
        [response.id for response in responses],
        list(KEPT_FACTS),
    )
