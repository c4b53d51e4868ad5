"""The shape at rest of what is told: recognition, digests sent by mail, webhooks. No customer's words, no names or addresses."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from closed_loop.tables import Base, CaseRow


class RecognitionRow(Base):
    """One line of the feed: thanks from a peer, a promoter whose cause the person influenced, a recovered customer.

    `org_unit` is the recipient's when it happened. `response_id` is where the customer's words are, in survey-intake.
    """

    __tablename__ = "recognition"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(comment="thanks | promoter | recovered")
    at: Mapped[datetime]
    recipient: Mapped[str]
    giver: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(comment="a colleague's words")
    response_id: Mapped[UUID | None] = mapped_column(index=True)
    case_id: Mapped[UUID | None] = mapped_column(index=True)
    org_unit: Mapped[str | None]
    cause: Mapped[str | None]

    __table_args__ = (
        Index("recognition_at", "at", "id"),
        Index("recognition_recipient", "recipient", "at"),
        Index("recognition_org_unit", "org_unit", "at"),
    )


class DigestDeliveryRow(Base):
    """One mail, due or done. The address is looked up when it is sent and never kept."""

    __tablename__ = "digest_delivery"

    employee: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True, comment="employee | manager | executive")
    period: Mapped[str] = mapped_column(primary_key=True, comment="the ISO week it goes out in")
    starts: Mapped[date] = mapped_column(comment="the first day told of")
    ends: Mapped[date] = mapped_column(comment="the day after the last")
    state: Mapped[str] = mapped_column(
        comment="pending | handing_over | sent | unknown | failed | no_address"
    )
    attempts: Mapped[int]
    next_try_at: Mapped[datetime]
    planned_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(
        comment="kind of error and SMTP code, never what the server wrote"
    )

    __table_args__ = (
        Index(
            "digest_delivery_due",
            "next_try_at",
            postgresql_where=text("state IN ('pending', 'handing_over')"),
        ),
        Index("digest_delivery_planned", "planned_at", "employee", "kind"),
    )


class WebhookSubscriptionRow(Base):
    """`secret` is sealed (`sealing.py`)."""

    __tablename__ = "webhook_subscription"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    active: Mapped[bool]
    disabled_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookDeliveryRow(Base):
    """One event for one subscription. While it is out, `next_try_at` says when it may be taken up by another worker.

    `queued_at`: when it was queued, or replayed; giving up counts from it.
    """

    __tablename__ = "webhook_delivery"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription: Mapped[str] = mapped_column(ForeignKey("webhook_subscription.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(comment="webhook-id, the same on every attempt")
    event: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(comment="pending | delivered | failed")
    attempts: Mapped[int]
    next_try_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(comment="the last status, or the kind of error")

    __table_args__ = (
        UniqueConstraint("subscription", "message_id", name="webhook_delivery_once"),
        Index("webhook_delivery_due", "next_try_at", postgresql_where=text("state = 'pending'")),
        Index("webhook_delivery_settled", "created_at", postgresql_where=text("state <> 'pending'")),
    )


Index(
    "customer_case_customer",
    text("((state -> 'circumstances'::text) ->> 'customer'::text)"),
    _table=CaseRow.metadata.tables["customer_case"],
)
"""Whose case it is, to find what a promoter had complained about before."""
