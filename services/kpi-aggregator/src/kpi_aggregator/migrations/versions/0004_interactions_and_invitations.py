"""interactions and invitations

`contribution.interaction` is empty for what was counted before; republishing attribution does not fill it, a later
version of the response does.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interaction",
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_unit", sa.Text(), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=False),
        sa.Column(
            "participants",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="employee, role, verified",
        ),
        sa.Column(
            "employees", postgresql.ARRAY(sa.Text()), nullable=False, comment="the verified participants"
        ),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("interaction"),
    )
    op.create_index("interaction_day", "interaction", ["day"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("invitation", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True, comment="local date of eligible_at"),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("bounced", sa.Boolean(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("invitation"),
    )
    op.create_index(
        "invitation_day", "invitation", ["day"], unique=False, postgresql_where=sa.text("day IS NOT NULL")
    )
    op.add_column(
        "contribution", sa.Column("interaction", sa.Text(), nullable=True, comment="the matched one")
    )
    op.create_index(
        "contribution_interaction",
        "contribution",
        ["interaction"],
        unique=False,
        postgresql_where=sa.text("interaction IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("contribution_interaction", table_name="contribution")
    op.drop_column("contribution", "interaction")
    op.drop_table("invitation")
    op.drop_table("interaction")
