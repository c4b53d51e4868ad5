"""Who is healthy, and why not."""

from dataclasses import dataclass, field
from typing import Any

from fairloop.db import Database, is_transient
from fairloop.migration_state import pending_migrations
from fairloop.service import Runtime, Service

NO_ANSWER = "the database does not answer"


@dataclass
class Health:
    """What the loops of the process report.

    `log_up` is None before the log was first tried. `halted` maps "topic/partition" to the reason.
    """

    log_up: bool | None = None
    halted: dict[str, str] = field(default_factory=dict)


async def database_trouble(service: Service, db: Database) -> str | None:
    """Why the database cannot be used, or None."""
    try:
        pending = await pending_migrations(service.package, db)
    except Exception as error:
        if not is_transient(error):
            raise
        return NO_ANSWER
    return f"migrations are pending: {pending}" if pending else None


async def readiness(
    service: Service, runtime: Runtime, health: Health, *, worker_only: bool
) -> tuple[int, dict[str, Any]]:
    """(status, body) of /readyz.

    An API is unready for its own database, pending migrations and draining only: without the log it goes on
    accepting, the outbox holds the events. A worker is also unready without the log and with a halted partition.
    """
    unready: list[str] = []
    degraded: list[str] = []
    if runtime.stopping.is_set():
        unready.append("shutting down")
    elif trouble := await database_trouble(service, runtime.db):
        unready.append(trouble)
    for_worker = unready if worker_only else degraded
    if health.log_up is False:
        for_worker.append("the event log does not answer; events wait in the outbox")
    for_worker.extend(
        f"{partition} is halted: {reason}" for partition, reason in sorted(health.halted.items())
    )
    state = "unready" if unready else "degraded" if degraded else "ready"
    return 503 if unready else 200, {
        "status": state,
        "reasons": unready + degraded,
        "degraded": bool(degraded),
        "halted": health.halted,
    }
