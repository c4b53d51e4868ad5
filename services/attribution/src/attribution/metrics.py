"""What to watch about matching and disputes."""

from datetime import datetime, timedelta
from typing import get_args

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.disputes import State
from fairloop.db import sql
from fairloop.events.attribution import AttributionStatus
from fairloop.months import first_id
from fairloop.service import Runtime

WINDOW = timedelta(days=30)

RESPONSES = Gauge(
    "fairloop_attribution_responses",
    "Responses received in the last 30 days, by where their attribution stands.",
    ("status",),
)
DISPUTES = Gauge(
    "fairloop_disputes", "Disputes filed in the last 30 days, by state; open ones of any age.", ("state",)
)
OLDEST_DISPUTE = Gauge("fairloop_dispute_oldest_age_seconds", "How long the oldest open dispute has waited.")

_RESPONSES = "SELECT status, count(*) AS responses FROM response WHERE response_id >= $1 GROUP BY status"
_DISPUTES = """
SELECT state, count(*) AS disputes, min(filed_at) AS oldest FROM dispute WHERE state = 'open' OR id >= $1 GROUP BY state
"""


async def measure_matching(session: AsyncSession, runtime: Runtime) -> None:
    """Along the primary keys, whose ids know when they were made."""
    now = runtime.clock()
    since = first_id(now - WINDOW)
    found = {row.status: row.responses for row in await sql(session, _RESPONSES, since)}
    for status in get_args(AttributionStatus):
        RESPONSES.labels(status).set(found.get(status, 0))
    disputes = {row.state: row for row in await sql(session, _DISPUTES, since)}
    for state in get_args(State):
        DISPUTES.labels(state).set(disputes[state].disputes if state in disputes else 0)
    oldest: datetime = disputes["open"].oldest if "open" in disputes else now
    OLDEST_DISPUTE.set(max(0.0, (now - oldest).total_seconds()))
