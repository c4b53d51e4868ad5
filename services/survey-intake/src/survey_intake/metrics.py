"""What to watch at this service's door."""

from prometheus_client import Counter

DELIVERIES = Counter(
    "fairloop_intake_deliveries_total", "Deliveries answered 202, by outcome.", ("connection", "outcome")
)
STRAY_WEBHOOKS = Counter(
    "fairloop_intake_stray_webhooks_total",
    "Requests to webhook addresses that lead nowhere: each is an alarm.",
)
