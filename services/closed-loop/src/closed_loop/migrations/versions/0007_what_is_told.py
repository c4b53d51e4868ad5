"""recognition, digests by mail, webhooks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recognition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="thanks | promoter | recovered"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("giver", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True, comment="a colleague's words"),
        sa.Column("response_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("org_unit", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recognition_at", "recognition", ["at", "id"])
    op.create_index("recognition_recipient", "recognition", ["recipient", "at"])
    op.create_index("recognition_org_unit", "recognition", ["org_unit", "at"])
    op.create_index(op.f("ix_recognition_response_id"), "recognition", ["response_id"])
    op.create_index(op.f("ix_recognition_case_id"), "recognition", ["case_id"])
    op.create_index(
        "customer_case_customer",
        "customer_case",
        [sa.text("((state -> 'circumstances'::text) ->> 'customer'::text)")],
    )
    op.create_table(
        "digest_delivery",
        sa.Column("employee", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="employee | manager | executive"),
        sa.Column("period", sa.String(), nullable=False, comment="the ISO week it goes out in"),
        sa.Column("starts", sa.Date(), nullable=False, comment="the first day told of"),
        sa.Column("ends", sa.Date(), nullable=False, comment="the day after the last"),
        sa.Column(
            "state",
            sa.String(),
            nullable=False,
            comment="pending | handing_over | sent | unknown | failed | no_address",
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "error",
            sa.String(),
            nullable=True,
            comment="kind of error and SMTP code, never what the server wrote",
        ),
        sa.PrimaryKeyConstraint("employee", "kind", "period"),
    )
    op.create_index(
        "digest_delivery_due",
        "digest_delivery",
        ["next_try_at"],
        postgresql_where=sa.text("state IN ('pending', 'handing_over')"),
    )
    op.create_index("digest_delivery_planned", "digest_delivery", ["planned_at", "employee", "kind"])
    op.create_table(
        "webhook_subscription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False, comment="webhook-id, the same on every attempt"),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, comment="pending | delivered | failed"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True, comment="the last status, or the kind of error"),
        sa.ForeignKeyConstraint(["subscription"], ["webhook_subscription.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subscription", "message_id", name="webhook_delivery_once"),
    )
    op.create_index(
        "webhook_delivery_due",
        "webhook_delivery",
        ["next_try_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "webhook_delivery_settled",
        "webhook_delivery",
        ["created_at"],
        postgresql_where=sa.text("state <> 'pending'"),
    )


def downgrade() -> None:
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_subscription")
    op.drop_table("digest_delivery")
    op.drop_index("customer_case_customer", table_name="customer_case")
    op.drop_table("recognition")
