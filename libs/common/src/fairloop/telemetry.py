"""Metrics (Prometheus) and logs (one JSON line an outcome, never a payload)."""

import logging
import sys
from functools import lru_cache

import structlog
from prometheus_client import Counter, Gauge, Histogram

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

REQUESTS = Histogram(
    "fairloop_http_request_seconds",
    "Requests by route and status.",
    ("service", "method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS = Counter("fairloop_events_total", "Events by what became of them.", ("service", "topic", "outcome"))
BATCH_EVENTS = Histogram(
    "fairloop_batch_events",
    "Records a transaction of the consumer took.",
    ("service", "topic"),
    buckets=SIZES,
)
BATCH_SECONDS = Histogram(
    "fairloop_batch_seconds",
    "Time from a batch's first try to its commit, pauses between tries included.",
    ("service", "topic"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
LAG = Gauge("fairloop_consumer_lag", "Records not yet consumed.", ("service", "topic", "partition"))
OLDEST = Gauge(
    "fairloop_consumer_oldest_age_seconds",
    "How long the oldest record that was fetched and not yet consumed has been in the log.",
    ("service", "topic", "partition"),
)
HALTED = Gauge(
    "fairloop_partition_halted", "1 while a partition is halted.", ("service", "topic", "partition")
)
BREAKER = Gauge(
    "fairloop_breaker_open",
    "1 while a partition is halted because too many of its events failed.",
    ("service", "topic", "partition"),
)
PARKED = Gauge("fairloop_parked_keys", "Keys with parked events.", ("service", "topic"))
OUTBOX_DEPTH = Gauge("fairloop_outbox_depth", "Events not yet carried to the log.", ("service", "topic"))
OUTBOX_AGE = Gauge(
    "fairloop_outbox_age_seconds",
    "Age of the oldest event not yet carried to the log.",
    ("service", "topic"),
)
RELAYED = Counter("fairloop_relayed_total", "Events carried to the log.", ("service", "topic"))
RELAY_BATCH = Histogram(
    "fairloop_relay_batch_events", "Events the relay carried at once.", ("service",), buckets=SIZES
)
READY = Gauge("fairloop_ready", "1 while /readyz answers 200.", ("service",))
DATABASE_UP = Gauge("fairloop_database_up", "1 while the service's database answers.", ("service",))
LOG_UP = Gauge("fairloop_log_up", "1 while the event log answers the worker.", ("service",))
MEASURED_AT = Gauge(
    "fairloop_measured_timestamp_seconds",
    "When the worker last read from its database what the other gauges say.",
    ("service",),
)
DATABASE_BYTES = Gauge("fairloop_database_bytes", "Size of the service's database on disk.", ("service",))
JOB_SUCCESS = Gauge(
    "fairloop_job_last_success_timestamp_seconds",
    "When a job of this service last came to its end; from the database, the same in every worker.",
    ("service", "task"),
)
JOB_ROWS = Counter(
    "fairloop_job_rows_total",
    "Rows a job has dealt with since the database exists; from the database, the same in every worker.",
    ("service", "task"),
)
MONTHS_AHEAD = Gauge(
    "fairloop_partition_months_ahead",
    "Months after this one that a table partitioned by month has partitions for, without a hole.",
    ("service", "table"),
)
DEFAULT_ROWS = Gauge(
    "fairloop_default_partition_rows",
    "Rows outside every month's partition, counted up to 10,000.",
    ("service", "table"),
)


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
