"""tables by month"""

import sqlalchemy as sa
from alembic import op

from fairloop.months import Monthly, divide, unite

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RECEIPTS = Monthly("receipt", "created_at", by_id=False)
RESULTS = Monthly("result", "response_id", by_id=True)


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
    divide(op.get_bind(), RECEIPTS, ("topic", "part", "first_pseq", "created_at"))
    divide(op.get_bind(), RESULTS, ("response_id", "version"))


def downgrade() -> None:
    unite(op.get_bind(), RESULTS, ("response_id", "version"))
    unite(op.get_bind(), RECEIPTS, ("topic", "part", "first_pseq"))
    op.drop_index("parked_event_settled", table_name="parked_event")
    op.drop_table("job_run")
