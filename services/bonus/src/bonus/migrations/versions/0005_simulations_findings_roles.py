"""simulations, findings of plans, roles and levels"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "role",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer_facing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("role"),
    )
    op.create_table(
        "simulation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("periods", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="the request"),
        sa.Column("outcome", sa.LargeBinary(), nullable=False, comment="JSON"),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("employee", sa.Column("level", sa.Text(), nullable=True))
    op.add_column(
        "plan",
        sa.Column(
            "findings",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what the linter found when it was published, and who waived it why",
        ),
    )


def downgrade() -> None:
    op.drop_column("plan", "findings")
    op.drop_column("employee", "level")
    op.drop_table("simulation")
    op.drop_table("role")
