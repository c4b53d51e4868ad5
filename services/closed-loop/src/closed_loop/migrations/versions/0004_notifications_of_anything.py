"""notifications of anything, and whether they were read"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notification", sa.Column("subject_type", sa.String(), server_default="case", nullable=False)
    )
    op.add_column(
        "notification",
        sa.Column("subject_id", sa.String(), nullable=True, comment="of anything but a case"),
    )
    op.add_column("notification", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("notification", "case_id", existing_type=sa.Uuid(), nullable=True)
    op.create_index("notification_recipient", "notification", ["recipient", "id"], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM notification WHERE case_id IS NULL")
    op.drop_index("notification_recipient", table_name="notification")
    op.alter_column("notification", "case_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_column("notification", "read_at")
    op.drop_column("notification", "subject_id")
    op.drop_column("notification", "subject_type")
