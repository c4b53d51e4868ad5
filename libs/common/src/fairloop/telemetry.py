"""Metrics (Prometheus) and logs (one JSON line an outcome, never a payload)."""

import logging
import sys
from functools import lru_cache

import structlog
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "fairloop_http_request_seconds",
    "Requests by route and status.",
    ("service", "method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS = Counter("fairloop_events_total", "Events by what became of them.", ("service", "topic", "outcome"))
LAG = Gauge("fairloop_consumer_lag", "Records not yet consumed.", ("service", "topic", "partition"))
HALTED = Gauge(
    "fairloop_partition_halted", "1 while a partition is halted.", ("service", "topic", "partition")
)
PARKED = Gauge("fairloop_parked_keys", "Keys with parked events.", ("service",))
OUTBOX_DEPTH = Gauge("fairloop_outbox_depth", "Events not yet carried to the log.", ("service",))
OUTBOX_AGE = Gauge(
    "fairloop_outbox_age_seconds", "Age of the oldest event not yet carried to the log.", ("service",)
)
RELAYED = Counter("fairloop_relayed_total", "Events carried to the log.", ("service", "topic"))


def observe_request(service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    _requests(service, method, route, status).observe(seconds)


@lru_cache(maxsize=1024)
def _requests(service: str, method: str, route: str, status: int) -> Histogram:
    """Looking labels up costs more than counting."""
    return REQUESTS.labels(service, method, route, str(status))


def configure_logging(service: str, *, level: str = "info") -> None:
    """JSON lines on stdout, with the service's name and the request's or batch's context."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
