"""traces"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "of what made it true, where that is traced"
    op.add_column("outbox", sa.Column("traceparent", sa.Text(), nullable=True, comment=comment))


def downgrade() -> None:
    op.drop_column("outbox", "traceparent")
