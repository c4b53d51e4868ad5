"""One statement a table, whatever the size of the batch."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.errors import Unavailable
from fairloop.events import ResponseFacts
from fairloop.ids import uuid7
from survey_intake.domain.draft import Problem
from survey_intake.sealing import DataKey, Vault
from survey_intake.service.deliveries import Unclear, Understood
from survey_intake.service.loading import Held


class Raced(Unavailable):
    """Another process stored one of these responses a moment before; the whole transaction can be tried again."""


class NewRevision(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `revision`, sealed."""

    response_id: UUID
    number: int
    updated_at: datetime
    content_hash: bytes
    customer: str | None
    interaction_ref: str | None
    facts: str
    warnings: str
    personal: bytes | None
    raw: bytes

    @classmethod
    def of(
        cls, delivery: Understood, facts: ResponseFacts, *, response_id: UUID, number: int, key: DataKey
    ) -> "NewRevision":
        return cls(
            response_id=response_id,
            number=number,
            updated_at=facts.updated_at,
            content_hash=delivery.content_hash,
            customer=delivery.customer,
            interaction_ref=delivery.interaction_ref,
            facts=as_json(facts),
            warnings=as_json(delivery.warnings),
            personal=None if delivery.personal is None else key.seal(delivery.personal, response_id.bytes),
            raw=key.seal(delivery.body, response_id.bytes),
        )


class QuarantinedBody(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `quarantine`, sealed."""

    id: UUID
    connection: str
    received_at: datetime
    errors: str
    body_hash: bytes
    wrapped_key: bytes
    body: bytes

    @classmethod
    def of(cls, delivery: Unclear, vault: Vault) -> "QuarantinedBody":
        key, wrapped = vault.new_key()
        return cls(
            id=uuid7(),
            connection=delivery.connection,
            received_at=delivery.received_at,
            errors=as_json(delivery.errors),
            body_hash=delivery.body_hash,
            wrapped_key=wrapped,
            body=key.seal(delivery.body),
        )


def as_json(value: ResponseFacts | Sequence[Problem]) -> str:
    return msgspec.json.encode(value).decode()


async def save(
    session: AsyncSession,
    responses: Collection[Held],
    revisions: Sequence[NewRevision],
    quarantined: Sequence[QuarantinedBody],
) -> None:
    """Responses first: their rows (new ones too) are locked before anything is published."""
    await _insert_responses(session, [held for held in responses if held.is_new])
    await update_responses(session, [held for held in responses if not held.is_new])
    await _insert_revisions(session, revisions)
    await _insert_quarantined(session, quarantined)


def _columns(responses: Iterable[Held]) -> list[list[object]]:
    rows = [
        (
            held.id,
            held.standing.status,
            held.standing.version,
            held.standing.revisions,
            held.standing.current,
            held.standing.content_hash,
            held.standing.updated_at,
            held.customer,
            held.wrapped_key,
        )
        for held in responses
        if held.standing is not None
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def _insert_responses(session: AsyncSession, new: Sequence[Held]) -> None:
    if not new:
        return
    ordered = sorted(new, key=lambda held: held.identity)
    inserted = await sql(
        session,
        "INSERT INTO response (id, status, version, revisions, current, content_hash, updated_at, customer,"
        " wrapped_key, connection, survey_id, external_id, day)"
        " SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::int[], $6::bytea[],"
        " $7::timestamptz[], $8::text[], $9::bytea[], $10::text[], $11::text[], $12::text[], $13::date[])"
        " ON CONFLICT (connection, survey_id, external_id) DO NOTHING RETURNING 1",
        *_columns(ordered),
        [held.identity[0] for held in ordered],
        [held.identity[1] for held in ordered],
        [held.identity[2] for held in ordered],
        [held.day for held in ordered],
    )
    if len(inserted) != len(new):
        raise Raced("The same response was being stored by another process; try again.", retry_after=1)


async def update_responses(session: AsyncSession, held: Sequence[Held]) -> None:
    """Write back where responses stand that were locked before."""
    if not held:
        return
    await sql(
        session,
        "UPDATE response AS r SET status = n.status, version = n.version, revisions = n.revisions,"
        " current = n.current, content_hash = n.content_hash, updated_at = n.updated_at, customer = n.customer,"
        " wrapped_key = n.wrapped_key"
        " FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::int[], $6::bytea[], $7::timestamptz[],"
        " $8::text[], $9::bytea[]) AS n(id, status, version, revisions, current, content_hash, updated_at,"
        " customer, wrapped_key) WHERE r.id = n.id",
        *_columns(held),
    )


async def _insert_revisions(session: AsyncSession, revisions: Sequence[NewRevision]) -> None:
    if not revisions:
        return
    await sql(
        session,
        "INSERT INTO revision (response_id, number, updated_at, content_hash, customer, interaction_ref, facts,"
        " warnings, personal, raw)"
        " SELECT id, number, updated_at, content_hash, customer, interaction_ref, facts::jsonb, warnings::jsonb,"
        " personal, raw FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bytea[], $5::text[],"
        " $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[]) AS n(id, number, updated_at,"
        " content_hash, customer, interaction_ref, facts, warnings, personal, raw)",
        *(list(column) for column in zip(*map(msgspec.structs.astuple, revisions), strict=True)),
    )


async def _insert_quarantined(session: AsyncSession, bodies: Sequence[QuarantinedBody]) -> None:
    """A body that waits already is counted, not stored again."""
    if not bodies:
        return
    kept = {(body.connection, body.body_hash): body for body in reversed(bodies)}
    times = Counter((body.connection, body.body_hash) for body in bodies)
    ordered = [kept[key] for key in sorted(kept)]
    await sql(
        session,
        "INSERT INTO quarantine AS held (id, connection, received_at, errors, body_hash, wrapped_key, body,"
        " status, seen)"
        " SELECT id, connection, received_at, errors::jsonb, body_hash, wrapped_key, body, 'open', seen"
        " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bytea[], $6::bytea[],"
        " $7::bytea[], $8::int[]) AS n(id, connection, received_at, errors, body_hash, wrapped_key, body, seen)"
        " ON CONFLICT (connection, body_hash) WHERE status = 'open' DO UPDATE SET seen = held.seen + EXCLUDED.seen",
        *(list(column) for column in zip(*map(msgspec.structs.astuple, ordered), strict=True)),
        [times[body.connection, body.body_hash] for body in ordered],
    )
