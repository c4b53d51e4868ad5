"""What to watch at this service's door."""

from functools import lru_cache

from prometheus_client import Counter, Histogram

from fairloop.errors import ProblemError, Unauthorized
from fairloop.telemetry import SIZES
from survey_intake.group_commit import Overloaded
from survey_intake.service.deliveries import Receipt

DELIVERIES = Counter(
    "fairloop_intake_deliveries_total",
    "Deliveries that were taken: accepted (new), revised, replayed (known), quarantined, ignored.",
    ("connection", "outcome"),
)
REFUSED = Counter("fairloop_intake_refused_total", "Deliveries that were not taken.", ("reason",))
STRAY_WEBHOOKS = Counter(
    "fairloop_intake_stray_webhooks_total",
    "Requests to webhook addresses that lead nowhere: each is an alarm.",
)
BATCH = Histogram("fairloop_intake_batch_deliveries", "Deliveries written in one transaction.", buckets=SIZES)

for _reason in ("signature", "too_large", "overloaded", "invalid", "unavailable"):
    REFUSED.labels(_reason)  # on the page before the first one, so that the first one is an increase


def count_taken(connection: str, receipt: Receipt) -> None:
    """Count a delivery by what became of it."""
    revised = receipt.outcome == "accepted" and receipt.revision != 1
    known = {"duplicate": "replayed"}
    outcome = "revised" if revised else known.get(receipt.outcome, receipt.outcome)
    _deliveries(connection, outcome).inc()


def count_refused(error: Exception) -> None:
    """Count a delivery that was not taken, by why."""
    if isinstance(error, Unauthorized):
        reason = "signature"
    elif isinstance(error, Overloaded):
        reason = "overloaded"
    elif isinstance(error, ProblemError) and error.status < 500:
        reason = "invalid"
    else:
        reason = "unavailable"
    REFUSED.labels(reason).inc()


@lru_cache(maxsize=1024)
def _deliveries(connection: str, outcome: str) -> Counter:
    """Looking labels up costs more than counting."""
    return DELIVERIES.labels(connection, outcome)
