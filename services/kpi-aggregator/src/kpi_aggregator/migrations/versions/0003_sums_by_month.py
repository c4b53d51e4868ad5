"""sums by month

`month_bucket` is what the days of `bucket` sum up to. Triggers keep it, so that it is true whoever writes days: this
version, the one before it while both run, or an operator.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SUMS = ("n", "promoters", "detractors", "w", "w_promoters", "w_detractors", "wx", "wxx", "w2")
KEY = "kpi, scope_type, scope_id, view, month, shard"
EVENTS = {
    "INSERT": ("NEW TABLE AS plus", "SELECT *, 1 AS sign FROM plus"),
    "UPDATE": (
        "OLD TABLE AS minus NEW TABLE AS plus",
        "SELECT *, 1 AS sign FROM plus UNION ALL SELECT *, -1 FROM minus",
    ),
    "DELETE": ("OLD TABLE AS minus", "SELECT *, -1 AS sign FROM minus"),
}


def add_to_months(days: str) -> str:
    """Add days with a sign to their months, in the order of their keys."""
    return f"""
INSERT INTO month_bucket AS held ({KEY}, {", ".join(SUMS)})
SELECT kpi, scope_type, scope_id, view, date_trunc('month', day)::date AS month, shard,
       {", ".join(f"sum(sign * {name})" for name in SUMS)}
FROM ({days}) AS moved GROUP BY {KEY} ORDER BY {KEY}
ON CONFLICT ({KEY}) DO UPDATE SET {", ".join(f"{name} = held.{name} + excluded.{name}" for name in SUMS)}
"""


def upgrade() -> None:
    op.create_table(
        "month_bucket",
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("scope_type", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("kpi", "scope_type", "scope_id", "view", "month", "shard"),
    )
    op.execute("LOCK TABLE bucket IN SHARE ROW EXCLUSIVE MODE")
    op.execute(add_to_months("SELECT *, 1 AS sign FROM bucket"))
    for event, (tables, days) in EVENTS.items():
        name = f"bucket_{event.lower()}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {add_to_months(days)}; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON bucket REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for event in EVENTS:
        name = f"bucket_{event.lower()}"
        op.execute(f"DROP TRIGGER {name} ON bucket")
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("month_bucket")
