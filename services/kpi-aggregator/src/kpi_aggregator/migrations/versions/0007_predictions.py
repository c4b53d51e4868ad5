"""predictions"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "prediction",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("promoter", sa.Float(), nullable=False),
        sa.Column("passive", sa.Float(), nullable=False),
        sa.Column("detractor", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["prediction_run.id"]),
        sa.PrimaryKeyConstraint("run_id", "interaction"),
    )


def downgrade() -> None:
    op.drop_table("prediction")
    op.drop_table("prediction_run")
