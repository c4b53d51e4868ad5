"""What to watch at this service's door."""

from functools import lru_cache

from prometheus_client import Counter

DELIVERIES = Counter(
    "fairloop_intake_deliveries_total", "Deliveries answered 202, by outcome.", ("connection", "outcome")
)
STRAY_WEBHOOKS = Counter(
    "fairloop_intake_stray_webhooks_total",
    "Requests to webhook addresses that lead nowhere: each is an alarm.",
)


@lru_cache(maxsize=1024)
def deliveries(connection: str, outcome: str) -> Counter:
    """Looking labels up costs more than counting."""
    return DELIVERIES.labels(connection, outcome)
