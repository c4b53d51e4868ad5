"""notice and goal reviews"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan", sa.Column("published_on", sa.Date(), nullable=True))
    op.add_column("plan", sa.Column("in_force_from", sa.Date(), nullable=True))
    op.create_table(
        "goal_review",
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="keep | change | drop"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("plan", "component", "due_on"),
    )


def downgrade() -> None:
    op.drop_table("goal_review")
    op.drop_column("plan", "in_force_from")
    op.drop_column("plan", "published_on")
