"""Once an hour: partitions of the months to come, and an end to what is not kept for good."""

from datetime import datetime, timedelta

from fairloop import telemetry
from fairloop.db import Database, is_transient
from fairloop.events import produced_by
from fairloop.log.port import Log, LogUnavailableError, TopicPartition
from fairloop.log.postgres import PostgresLog
from fairloop.months import Monthly, held_months, monthly_tables, months_ahead, rows_outside
from fairloop.retention import Retention, alone, days, forget, keep_months, note_run
from fairloop.service import Runtime, Service
from fairloop.waiting import wait_for_event

_EVERY_SECONDS = 3600.0
_AGAIN_SECONDS = 60.0
_COUNTED = 10_000
_LOG_MARGIN = 100
"""The end of a partition stays: relays and bootstrap read the last number from it."""

_LOG_CHUNK = 5000

RUNTIME = (
    Retention(
        job="idempotency",
        table="idempotency",
        key=("caller", "route", "key"),
        age="created_at",
        keep=lambda settings: timedelta(hours=24),
    ),
    Retention(
        job="parked_event",
        table="parked_event",
        key=("id",),
        age="created_at",
        where="state <> 'parked'",
        keep=lambda settings: days(settings.keep_parked_days),
    ),
)
"""Of the runtime's tables, in every service. Receipts go by whole months."""


async def keep_up(service: Service, runtime: Runtime, event_log: Log) -> None:
    """The worker's loop. What could not be done for want of the database, the log or a lock is tried again soon."""
    while not runtime.stopping.is_set():
        pause = _EVERY_SECONDS
        try:
            await tidy(service, runtime, event_log)
        except LogUnavailableError:
            pause = _AGAIN_SECONDS
        except Exception as error:
            if not is_transient(error):
                raise
            pause = _AGAIN_SECONDS
        await wait_for_event(runtime.stopping, pause)


async def tidy(service: Service, runtime: Runtime, event_log: Log) -> None:
    """Every job of a service, once."""
    now = runtime.clock()
    for table in monthly_tables(service.metadata):
        await keep_months(runtime.db, table, now)
        await _tell_months(service, runtime.db, table, now)
    for retention in (*RUNTIME, *service.retention):
        await forget(runtime.db, retention, runtime.settings, now)
    keep = days(runtime.settings.keep_log_days)
    if (
        isinstance(event_log, PostgresLog) and keep is not None
    ):  # Kafka's brokers have a retention of their own
        for topic in produced_by(service.name):
            for part in range(topic.partitions):
                await _trim(
                    runtime.db, event_log, TopicPartition(topic.name, part), now=now, before=now - keep
                )


async def _trim(
    db: Database, event_log: PostgresLog, partition: TopicPartition, *, now: datetime, before: datetime
) -> None:
    trimmed = True
    while trimmed:
        async with db.begin() as session:
            if not await alone(session, "log"):
                return
            first, upto = await event_log.expired(partition, before, margin=_LOG_MARGIN, most=_LOG_CHUNK)
            trimmed = upto > first
            if trimmed:
                await event_log.truncate({partition: upto})
            await note_run(session, "log", rows=max(0, upto - first), now=None if trimmed else now)


async def _tell_months(service: Service, db: Database, table: Monthly, now: datetime) -> None:
    async with db.begin() as session:
        ahead = months_ahead(await held_months(session, table), now)
        outside = await rows_outside(session, table, _COUNTED)
    telemetry.MONTHS_AHEAD.labels(service.name, table.table).set(ahead)
    telemetry.DEFAULT_ROWS.labels(service.name, table.table).set(outside)
