"""invitations"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="active | deleted | erased"),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=True, comment="keyed hash of the reference"),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("eligible_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("troubles", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="kind, at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_invitation_customer"), "invitation", ["customer"], unique=False)
    op.create_index(op.f("ix_invitation_interaction"), "invitation", ["interaction"], unique=False)


def downgrade() -> None:
    op.drop_table("invitation")
