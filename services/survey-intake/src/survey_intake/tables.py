"""The shape at rest. Everything personal is sealed; see `survey_intake.sealing`."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Index, Text, UniqueConstraint, and_, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship, remote

from fairloop.months import by_month
from fairloop.tables import add_runtime_tables


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, str]]: JSONB,
        list[str]: ARRAY(Text),
    }


class Connection(Base):
    """One survey platform account that delivers to us. `revision` counts its changes."""

    __tablename__ = "connection"

    id: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str]
    secrets: Mapped[bytes | None] = mapped_column(comment="JSON list, sealed with the master key")
    unsigned: Mapped[bool]
    timezone: Mapped[str]
    survey_type: Mapped[str]
    taxonomy: Mapped[str | None]
    mapping: Mapped[dict[str, Any]]
    revision: Mapped[int]


class Customer(Base):
    """A customer's key. The row stays after erasure, without the key, so that late deliveries are ignored."""

    __tablename__ = "customer"

    customer: Mapped[str] = mapped_column(primary_key=True, comment="keyed hash of the reference")
    wrapped_key: Mapped[bytes | None]
    erased_at: Mapped[datetime | None]
    receipt: Mapped[UUID | None]


class Response(Base):
    """Where a response stands. `current` is the number of the revision shown; `version` the state published last."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("connection", "survey_id", "external_id", name="response_identity"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection: Mapped[str]
    survey_id: Mapped[str]
    external_id: Mapped[str]
    status: Mapped[str] = mapped_column(comment="active | deleted | erased")
    version: Mapped[int]
    revisions: Mapped[int]
    current: Mapped[int]
    content_hash: Mapped[bytes] = mapped_column(comment="keyed; of the current revision; empty when erased")
    updated_at: Mapped[datetime] = mapped_column(comment="newest time the platform gave the current content")
    day: Mapped[date] = mapped_column(comment="local date of the first revision's submitted_at")
    customer: Mapped[str | None] = mapped_column(index=True)
    wrapped_key: Mapped[bytes | None] = mapped_column(comment="for revisions without a customer")

    shown: Mapped["Revision"] = relationship(
        primaryjoin=lambda: and_(
            Response.id == foreign(remote(Revision.response_id)),
            Response.current == foreign(remote(Revision.number)),
        ),
        viewonly=True,
        uselist=False,
        lazy="joined",
        innerjoin=True,
    )


class Revision(Base):
    """One accepted delivery, in order of arrival. No foreign key: the hot path writes both rows in one transaction."""

    __tablename__ = "revision"
    __table_args__ = (
        Index("revision_raw", "response_id", postgresql_where=text("raw IS NOT NULL")),
        by_month("response_id"),
    )

    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    updated_at: Mapped[datetime]
    content_hash: Mapped[bytes]
    customer: Mapped[str | None] = mapped_column(
        index=True, comment="whose key sealed it; null: the response's"
    )
    interaction_ref: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(comment="the event's facts: nothing personal")
    warnings: Mapped[list[dict[str, str]]]
    personal: Mapped[bytes | None] = mapped_column(deferred=True, comment="sealed JSON")
    raw: Mapped[bytes | None] = mapped_column(deferred=True, comment="the body as it came, sealed")


class InvitationRow(Base):
    """Whether the customer of an interaction could be and was asked. Once retracted only times and ids are left."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    status: Mapped[str] = mapped_column(comment="active | deleted | erased")
    interaction: Mapped[str] = mapped_column(index=True)
    customer: Mapped[str | None] = mapped_column(index=True, comment="keyed hash of the reference")
    channel: Mapped[str | None]
    eligible_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    troubles: Mapped[list[dict[str, str]]] = mapped_column(comment="kind, at")


class Quarantined(Base):
    """An authentic delivery that was not understood. Its body has a key of its own and goes when it is settled."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index(
            "quarantine_open_body",
            "connection",
            "body_hash",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("quarantine_settled", "settled_at", postgresql_where=text("status <> 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection: Mapped[str]
    received_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(comment="open | released | discarded | erased")
    seen: Mapped[int] = mapped_column(comment="how often the same body came")
    errors: Mapped[list[dict[str, str]]]
    body_hash: Mapped[bytes] = mapped_column(comment="keyed")
    wrapped_key: Mapped[bytes | None] = mapped_column(deferred=True)
    body: Mapped[bytes | None] = mapped_column(deferred=True, comment="sealed")
    response_id: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]


add_runtime_tables(Base.metadata)
