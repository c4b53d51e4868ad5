"""Contributions by the month their response came in: a correction finds its row, and the fold still agrees."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from msgspec.structs import replace
from prometheus_client import REGISTRY
from tests.integration.kpi_aggregator.facts import answered, directory, proof, result

from fairloop.db import sql
from fairloop.events import AttributionResult
from fairloop.log.postgres import PostgresLog
from fairloop.months import Monthly, first_id, following, make_month, month_of
from fairloop.testing import Box
from fairloop.upkeep import tidy

CONTRIBUTIONS = Monthly("contribution", "response_id", by_id=True)
NOW = month_of(datetime.now(UTC))


def of_month(month: datetime, number: int, nps: int, *, version: int = 1) -> AttributionResult:
    """A response that came in that month: the first 48 bits of its id are the time."""
    one = answered(number, nps, version=version)
    moment = first_id(month + timedelta(days=9))
    return replace(result(one), response_id=UUID(int=moment.int | 0x7000_8000_0000_0000_0000 | number))


async def held(box: Box) -> dict[str, list[int]]:
    """Partition → the versions in it."""
    async with box.db.begin() as session:
        rows = await sql(
            session,
            "SELECT tableoid::regclass::text, array_agg(version ORDER BY version) FROM contribution GROUP BY 1",
        )
    return dict(tuple(row) for row in rows)


async def test_each_month_has_its_own_and_a_correction_replaces_in_place(box: Box) -> None:
    this, following_month = NOW, following(NOW)
    await box.deliver(directory())
    await box.deliver([of_month(this, 1, 9), of_month(following_month, 2, 3)])
    await box.deliver([of_month(this, 1, 2, version=2), of_month(following_month, 3, 10)])
    assert await held(box) == {
        CONTRIBUTIONS.name(this): [2],
        CONTRIBUTIONS.name(following_month): [1, 1],
    }
    report = await proof(box)
    assert (report["equal"], report["responses"]) == (True, 3)


async def test_a_month_that_was_missing_takes_over_what_waited_for_it(box: Box) -> None:
    old = datetime(2024, 5, 1, tzinfo=UTC)
    await box.deliver(directory())
    await box.deliver([of_month(old, 1, 9), of_month(NOW, 2, 3)])
    assert await held(box) == {"contribution_default": [1], CONTRIBUTIONS.name(NOW): [1]}
    await run_jobs(box)
    await box.deliver([of_month(old, 1, 0, version=2)])
    assert await held(box) == {"contribution_2024_05": [2], CONTRIBUTIONS.name(NOW): [1]}
    assert (await proof(box))["equal"]


async def test_what_is_in_no_month_is_shown_until_it_is_gone(box: Box) -> None:
    labels = {"service": "kpi-aggregator", "table": "contribution"}
    stranger = replace(of_month(NOW, 1, 9), response_id=uuid4())
    await box.deliver([*directory(), stranger])
    await run_jobs(box)
    assert REGISTRY.get_sample_value("fairloop_default_partition_rows", labels) == 1
    async with box.db.begin() as session:
        await sql(session, "DELETE FROM contribution WHERE response_id = $1", stranger.response_id)
    await run_jobs(box)
    assert REGISTRY.get_sample_value("fairloop_default_partition_rows", labels) == 0


async def test_too_many_to_move_at_once_stay_where_they_are_and_count_all_the_same(box: Box) -> None:
    async with box.db.begin() as session:
        await sql(
            session,
            "INSERT INTO contribution (response_id, version, shard, state, units)"
            " SELECT (lpad(to_hex($1::bigint + n), 12, '0') || '7000800000000000000' || '0')::uuid, 1, 0, 'erased', '{}'"
            " FROM generate_series(1, 50001) AS n",
            int(datetime(2024, 5, 1, tzinfo=UTC).timestamp() * 1000),
        )
    await run_jobs(box)
    assert {name: len(versions) for name, versions in (await held(box)).items()} == {
        "contribution_default": 50_001
    }
    async with box.db.begin() as session:  # by hand, as the runbook says, while nobody waits
        assert await make_month(session, CONTRIBUTIONS, datetime(2024, 5, 1, tzinfo=UTC)) == 50_001


async def run_jobs(box: Box) -> None:
    """What the worker does once an hour, now."""
    box.clock.now = datetime.now(UTC)
    async with PostgresLog(box.db.url) as log:
        await tidy(box.service, box.runtime, log)
