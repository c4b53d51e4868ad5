"""tables by month"""

import sqlalchemy as sa
from alembic import op

from fairloop.months import Monthly, divide, unite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RECEIPTS = Monthly("receipt", "created_at", by_id=False)
REVISIONS = Monthly("revision", "response_id", by_id=True)


def upgrade() -> None:
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows_total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index(
        "parked_event_settled",
        "parked_event",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'parked'"),
    )
    op.create_index(
        "quarantine_settled",
        "quarantine",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'open'"),
    )
    divide(op.get_bind(), RECEIPTS, ("topic", "part", "first_pseq", "created_at"))
    divide(op.get_bind(), REVISIONS, ("response_id", "number"))
    op.create_index("ix_revision_customer", "revision", ["customer"], unique=False)
    op.create_index(
        "revision_raw", "revision", ["response_id"], unique=False, postgresql_where=sa.text("raw IS NOT NULL")
    )


def downgrade() -> None:
    unite(op.get_bind(), REVISIONS, ("response_id", "number"))
    op.create_index("ix_revision_customer", "revision", ["customer"], unique=False)
    unite(op.get_bind(), RECEIPTS, ("topic", "part", "first_pseq"))
    op.drop_index("quarantine_settled", table_name="quarantine")
    op.drop_index("parked_event_settled", table_name="parked_event")
    op.drop_table("job_run")
