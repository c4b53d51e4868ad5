"""What is not kept for ever goes, in small transactions, once, whoever works at it; nothing else goes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.runtime.counting import metadata
from tests.integration.runtime.gauges import half, value

from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.ids import uuid7
from fairloop.log.port import NewRecord, TopicPartition
from fairloop.log.postgres import PostgresLog
from fairloop.measuring import Measuring
from fairloop.months import Monthly, first_id, held_months, month_of, monthly_tables
from fairloop.retention import forget, keep_months
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT, ManualClock, temporary_database
from fairloop.upkeep import RUNTIME, tidy

ANSWERS, PARKED = RUNTIME
SETTINGS = ServiceSettings.model_validate(ENVIRONMENT)
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
RECEIPTS = Monthly("receipt", "created_at", by_id=False, keep_days=30)


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    async with temporary_database(postgres) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield db


async def rows(db: Database, statement: str, *arguments: object) -> list[tuple[object, ...]]:
    async with db.begin() as session:
        return [tuple(row) for row in await sql(session, statement, *arguments)]


async def answered(db: Database, count: int, at: datetime) -> None:
    """So many answers of idempotency keys, given at one moment."""
    await rows(
        db,
        "INSERT INTO idempotency (caller, route, key, body_hash, status, media_type, body, created_at)"
        " SELECT 'me', 'POST /', gen_random_uuid(), '', 200, '', '', $2::timestamptz FROM generate_series(1, $1)",
        count,
        at,
    )


async def received(db: Database, first: int, at: datetime) -> None:
    await rows(
        db,
        "INSERT INTO receipt (topic, part, first_pseq, last_pseq, event_ids, created_at)"
        " VALUES ('t', 0, $1::bigint, $1::bigint, '', $2)",
        first,
        at,
    )


async def test_only_what_is_too_old_goes_and_the_job_says_how_much_and_when(db: Database) -> None:
    await answered(db, 3, NOON - timedelta(hours=24, seconds=1))
    await answered(db, 2, NOON - timedelta(hours=23, minutes=59))
    assert await forget(db, ANSWERS, SETTINGS, NOON) == 3
    assert await rows(db, "SELECT count(*) FROM idempotency") == [(2,)]
    assert await rows(db, "SELECT job, rows_total, last_success_at FROM job_run") == [
        ("idempotency", 3, NOON)
    ]
    assert await forget(db, ANSWERS, SETTINGS, NOON + timedelta(days=1)) == 2

    service, runtime = half("forgetting", db, {})
    await Measuring(service, runtime).measure()
    labels = {"service": "forgetting", "task": "idempotency"}
    assert value("fairloop_job_rows_total", **labels) == 5
    told = value("fairloop_job_last_success_timestamp_seconds", **labels)
    assert told == (NOON + timedelta(days=1)).timestamp()


async def test_no_transaction_takes_more_than_a_chunk(db: Database) -> None:
    await answered(db, 2 * ANSWERS.chunk + 1, NOON - timedelta(days=2))
    for statement in (
        "CREATE TABLE taken (xid xid8, n bigint)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO taken SELECT pg_current_xact_id(), count(*) FROM gone; RETURN NULL; END $$",
        "CREATE TRIGGER note AFTER DELETE ON idempotency REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION note()",
    ):
        await rows(db, statement)
    await forget(db, ANSWERS, SETTINGS, NOON)
    chunks = await rows(db, "SELECT sum(n)::int FROM taken GROUP BY xid HAVING sum(n) > 0 ORDER BY 1")
    assert chunks == [(1,), (ANSWERS.chunk,), (ANSWERS.chunk,)]


async def test_workers_at_once_count_every_row_once(db: Database) -> None:
    count = 5 * ANSWERS.chunk + 7
    await answered(db, count, NOON - timedelta(days=2))
    done = await asyncio.gather(*(forget(db, ANSWERS, SETTINGS, NOON) for _ in range(6)))
    done.append(await forget(db, ANSWERS, SETTINGS, NOON))
    assert sum(done) == count
    assert await rows(db, "SELECT rows_total FROM job_run") == [(count,)]
    assert await rows(db, "SELECT count(*) FROM idempotency") == [(0,)]


async def test_a_parked_event_goes_when_it_was_settled_long_ago_and_never_while_it_waits(
    db: Database,
) -> None:
    for state in ("parked", "replayed", "discarded"):
        await rows(
            db,
            'INSERT INTO parked_event (id, topic, part, "offset", key, type, raw, error_class, error, attempts, state,'
            " created_at) VALUES ($1, 't', 0, 1, 'k', '', '', '', '', 1, $2, $3)",
            uuid7(),
            state,
            NOON - timedelta(days=SETTINGS.keep_parked_days, seconds=1),
        )
    assert await forget(db, PARKED, SETTINGS.model_copy(update={"keep_parked_days": 0}), NOON) == 0
    assert await forget(db, PARKED, SETTINGS, NOON) == 2
    assert await rows(db, "SELECT state FROM parked_event") == [("parked",)]


async def test_months_are_made_ahead_and_what_came_before_them_moves_in(db: Database) -> None:
    await received(db, 1, NOON)
    await received(db, 2, NOON - timedelta(days=15))
    await keep_months(db, RECEIPTS, NOON)
    async with db.begin() as session:
        held = await held_months(session, RECEIPTS)
    assert [f"{month:%Y-%m}" for month in held] == ["2026-10", "2026-11", "2026-12", "2027-01", "2027-02"]
    where = "SELECT first_pseq, tableoid::regclass::text FROM receipt ORDER BY first_pseq"
    assert await rows(db, where) == [(1, "receipt_2026_11"), (2, "receipt_2026_10")]
    assert await rows(db, "SELECT rows_total FROM job_run WHERE job = 'receipt.months'") == [(5,)]
    await received(db, 3, NOON + timedelta(days=40))
    assert (3, "receipt_2026_12") in await rows(db, where)


async def test_a_month_of_receipts_goes_when_its_last_day_is_thirty_days_old(db: Database) -> None:
    await keep_months(db, RECEIPTS, NOON)
    await received(db, 1, datetime(2026, 11, 1, tzinfo=UTC))
    await received(db, 2, datetime(2026, 12, 1, tzinfo=UTC))
    await keep_months(db, RECEIPTS, datetime(2026, 12, 30, 23, 59, tzinfo=UTC))
    assert await rows(db, "SELECT count(*) FROM receipt") == [(2,)]
    await keep_months(db, RECEIPTS, datetime(2026, 12, 31, tzinfo=UTC))
    assert await rows(db, "SELECT first_pseq FROM receipt") == [(2,)]
    assert await rows(db, "SELECT rows_total FROM job_run WHERE job = 'receipt.dropped'") == [(1,)]


async def test_workers_at_once_make_and_drop_each_month_once(db: Database) -> None:
    await received(db, 1, NOON)
    for at in (NOON, NOON + timedelta(days=100)):
        await asyncio.gather(*(keep_months(db, RECEIPTS, at) for _ in range(6)))
    async with db.begin() as session:
        held = await held_months(session, RECEIPTS)
    assert [f"{month:%Y-%m}" for month in held] == ["2027-01", "2027-02", "2027-03", "2027-04", "2027-05"]
    assert await rows(db, "SELECT rows_total FROM job_run WHERE job = 'receipt.dropped'") == [(1,)]


async def test_an_installation_that_slept_for_years_finds_its_months_again(db: Database) -> None:
    assert monthly_tables(metadata) == [RECEIPTS]
    clock = ManualClock(NOON)
    service, runtime = half("counting", db, {}, clock)
    labels = {"service": "counting", "table": "receipt"}
    async with PostgresLog(db.url) as log:
        await tidy(service, runtime, log)
        assert value("fairloop_partition_months_ahead", **labels) == 3
        assert value("fairloop_default_partition_rows", **labels) == 0
        clock.advance(timedelta(days=3650))
        await rows(db, "INSERT INTO receipt_default VALUES ('t', 0, 1, 1, '', $1)", clock.now)
        await tidy(service, runtime, log)
    assert value("fairloop_partition_months_ahead", **labels) == 3
    assert value("fairloop_default_partition_rows", **labels) == 0


async def test_the_log_keeps_what_its_slowest_consumer_has_not_read_and_its_end(db: Database) -> None:
    clock = ManualClock(datetime.now(UTC) + timedelta(days=10))
    service, runtime = half("attribution", db, {}, clock)
    runtime.settings = SETTINGS.model_copy(update={"keep_log_days": 11})
    place = TopicPartition("directory.v1", 0)
    async with PostgresLog(db.url) as log:
        await log.create_topics({"directory.v1": 1, "attribution.result.v1": 4})
        producer = await log.producer()
        await producer.append({place: [NewRecord(b"k", b"v")] * 300})
        await producer.close()
        await read_up_to(db, "fast", 300)
        await read_up_to(db, "slow", 150)

        async def first() -> int:
            await tidy(service, runtime, log)
            return (await log.bounds([place]))[place][0]

        assert await first() == 0  # all of it is too young
        runtime.settings = SETTINGS.model_copy(update={"keep_log_days": 9})
        assert await first() == 150
        await read_up_to(db, "slow", 300)
        assert await first() == 200
        assert len(await log.read(place, 200, max_records=500)) == 100
    assert await rows(db, "SELECT rows_total, last_success_at FROM job_run WHERE job = 'log'") == [
        (200, clock.now)
    ]


async def read_up_to(db: Database, group: str, offset: int) -> None:
    """As a consumer's commit says it."""
    await rows(
        db,
        "INSERT INTO fairloop_log.group_offset VALUES ($1, 'directory.v1', 0, $2, now())"
        " ON CONFLICT (group_name, topic, part) DO UPDATE SET next_offset = $2",
        group,
        offset,
    )


def test_a_month_of_ids_begins_with_the_lowest_id_of_its_first_moment() -> None:
    before, now = datetime.now(UTC) - timedelta(milliseconds=2), datetime.now(UTC)
    made = uuid7()
    assert first_id(before) < made < first_id(now + timedelta(seconds=2))
    assert first_id(month_of(now)).hex[12:] == "0" * 20
