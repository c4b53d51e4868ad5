"""the rule, policy and calendar that exist from the start

NPS 0–6 opens a case; four hours to acknowledge, a day to contact, five days to resolve, of working time Monday
to Friday 9–17 UTC. All three can be replaced under the id `default`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DEFAULTS = {
    "calendar": {
        "timezone": "UTC",
        "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": [],
    },
    "sla_policy": {
        "calendar": "default",
        "target_minutes": {"acknowledge": 240, "contact": 480, "resolve": 2400},
        "warn_at": "0.75",
        "escalate_to": None,
    },
    "alert_rule": {
        "when": [{"field": "nps", "op": "<=", "value": 6}],
        "active": True,
        "track": None,
        "route": None,
        "watchers": [],
        "method": None,
        "required_documentation": ["root_cause", "promised", "outcome"],
        "sla_policy": "default",
        "oversight_owner": None,
    },
}


def upgrade() -> None:
    for name, document in DEFAULTS.items():
        row = {"id": "default", "version": 1, "document": document, "created_at": sa.func.now()}
        op.execute(_table(name).insert().values(row))


def downgrade() -> None:
    for name in DEFAULTS:
        table = _table(name)
        op.execute(table.delete().where(table.c.id == "default"))


def _table(name: str) -> sa.TableClause:
    return sa.table(
        name,
        sa.column("id", sa.String),
        sa.column("version", sa.BigInteger),
        sa.column("document", JSONB),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
