"""A delivery made ready to be stored: everything that needs no database is done and checked here."""

from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from fairloop.events import Cause, ResponseFacts, Scores
from fairloop.tracing import current
from survey_intake.domain.coerce import not_ahead
from survey_intake.domain.draft import Draft, Ignorable, NotUnderstood, Personal, Problem, Reading
from survey_intake.keyring import Keyring
from survey_intake.service.connections import ConnectionConfig

Identity = tuple[str, str, str]
"""(connection, survey, the platform's response id)."""

Outcome = Literal["accepted", "duplicate", "quarantined", "ignored"]


class Receipt(msgspec.Struct, frozen=True):
    """The answer to a delivery. `revision` counts the revisions stored."""

    outcome: Outcome
    response_id: UUID | None = None
    revision: int | None = None


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that becomes a revision, or repeats one. `facts.day` holds if it is the first revision;
    `traceparent` is of the request that brought it."""

    identity: Identity
    connection_revision: int
    content_hash: bytes
    customer: str | None
    facts: ResponseFacts
    interaction_ref: str | None
    personal: bytes | None
    warnings: tuple[Problem, ...]
    body: bytes
    traceparent: str | None = None

    @property
    def connection(self) -> str:
        return self.identity[0]


class Unclear(msgspec.Struct, frozen=True, kw_only=True):
    """An authentic delivery that was not understood."""

    connection: str
    connection_revision: int
    received_at: datetime
    errors: tuple[Problem, ...]
    body_hash: bytes
    body: bytes


Delivery = Understood | Unclear


def prepare(
    reading: Reading,
    body: bytes,
    config: ConnectionConfig,
    *,
    received_at: datetime,
    day_zone: ZoneInfo,
    keyring: Keyring,
) -> Delivery | None:
    """What is to be stored; None for what is no response."""
    if isinstance(reading, Ignorable):
        return None
    if isinstance(reading, NotUnderstood):
        return Unclear(
            connection=config.id,
            connection_revision=config.revision,
            received_at=received_at,
            errors=reading.errors,
            body_hash=keyring.body_hash(body),
            body=body,
        )
    facts = facts_of(reading, config, received_at=received_at, day_zone=day_zone)
    moved = facts.submitted_at != reading.submitted_at or facts.updated_at != reading.updated_at
    ahead = (
        (Problem("/submitted_at", "is ahead of our clock; the time of receipt stands for it"),)
        if moved
        else ()
    )
    ref = reading.customer_ref
    return Understood(
        identity=(config.id, reading.survey_id, reading.external_id),
        connection_revision=config.revision,
        content_hash=keyring.content_hash(reading),
        customer=None if ref is None else keyring.customer(ref),
        facts=facts,
        interaction_ref=reading.interaction_ref,
        personal=None if reading.personal == Personal() else msgspec.json.encode(reading.personal),
        warnings=reading.warnings + ahead,
        body=body,
        traceparent=current(),
    )


def facts_of(
    draft: Draft, config: ConnectionConfig, *, received_at: datetime, day_zone: ZoneInfo
) -> ResponseFacts:
    """The non-personal part. `day` is the local date of submission in the organisation's time zone."""
    submitted_at = not_ahead(draft.submitted_at, received_at)
    return ResponseFacts(
        connection=config.id,
        survey_id=draft.survey_id,
        survey_type=config.survey_type,
        taxonomy=config.taxonomy,
        day=submitted_at.astimezone(day_zone).date(),
        submitted_at=submitted_at,
        updated_at=not_ahead(draft.updated_at, received_at),
        received_at=received_at,
        scores=Scores(**draft.scores),
        ratings=draft.ratings,
        causes=tuple(Cause(level1=cause.level1, level2=cause.level2) for cause in draft.causes),
        segments=draft.segments,
        language=draft.language,
        has_comment=draft.personal.comment is not None,
        consent_quote=draft.consent_quote,
    )
