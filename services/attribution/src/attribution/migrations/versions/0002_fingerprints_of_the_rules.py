"""fingerprints of the rules"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "influence_matrix",
        sa.Column("fingerprint", sa.Text(), sa.Computed("md5(cells::text)", persisted=True), nullable=False),
    )
    op.add_column(
        "taxonomy",
        sa.Column("fingerprint", sa.Text(), sa.Computed("md5(causes::text)", persisted=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("taxonomy", "fingerprint")
    op.drop_column("influence_matrix", "fingerprint")
