"""a playbook for each track, working hours of people, and what tells the share of respondents followed up"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PLAYBOOKS = {
    "detractor": {
        "text": "Listen first. Say what will be done and by when, keep it, and ask whether it was enough.",
        "steps": [
            "Read the answer and what was done for this customer before you call.",
            "Call; write only when nobody answers twice.",
            "Ask what went wrong and what would put it right.",
            "Promise what you can keep, with a date.",
            "Find the cause; when it is not in your hands, hand it to who owns it.",
        ],
        "outcomes": [
            {"id": "recovered", "meaning": "The customer says it has been put right."},
            {"id": "churn_risk", "meaning": "It was done what could be done; the customer may leave."},
            {"id": "lost", "meaning": "The customer has left."},
            {"id": "not_reached", "meaning": "Nobody answered."},
        ],
    },
    "passive": {
        "text": "Nothing went wrong, and nothing was remarkable. Ask for the one thing that would have made it so.",
        "steps": [
            "Thank the customer for the answer.",
            "Ask what would have made it a nine or a ten.",
            "Write the suggestion down and pass it on to who can act on it.",
        ],
        "outcomes": [
            {"id": "suggestion", "meaning": "The customer said what would be better, and it was passed on."},
            {"id": "no_suggestion", "meaning": "The customer had nothing to add."},
            {"id": "not_reached", "meaning": "Nobody answered."},
        ],
    },
    "promoter": {
        "text": "Say thank you, and tell the people who earned it. Ask for one thing at most.",
        "steps": [
            "Thank the customer, in the name of those who did the work.",
            "Tell these people what the customer said.",
            "Ask for one thing that fits this customer; a no is fine.",
        ],
        "outcomes": [
            {"id": "thanked", "meaning": "Thanked; nothing was asked for, or the answer was no."},
            {"id": "upsell", "meaning": "The customer wants more of what is on offer."},
            {"id": "testimonial", "meaning": "The customer's words may be quoted."},
            {"id": "reference", "meaning": "The customer is ready to tell others who ask."},
            {"id": "advisory_board", "meaning": "The customer is ready to advise regularly."},
            {"id": "not_reached", "meaning": "Nobody answered."},
        ],
    },
}


def upgrade() -> None:
    playbook = op.create_table(
        "playbook",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "version"),
    )
    for track, document in PLAYBOOKS.items():
        row = {"id": track, "version": 1, "document": document, "created_at": sa.func.now()}
        op.execute(playbook.insert().values(row))
    op.add_column("employee", sa.Column("calendar", sa.String(), nullable=True))
    op.add_column("response_seen", sa.Column("day", sa.Date(), nullable=True))
    op.add_column("response_seen", sa.Column("track", sa.String(), nullable=True))
    op.add_column("response_seen", sa.Column("org_unit", sa.String(), nullable=True))
    op.create_index("response_seen_day", "response_seen", ["day"], unique=False, postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("response_seen_day", table_name="response_seen", postgresql_using="brin")
    op.drop_column("response_seen", "org_unit")
    op.drop_column("response_seen", "track")
    op.drop_column("response_seen", "day")
    op.drop_column("employee", "calendar")
    op.drop_table("playbook")
