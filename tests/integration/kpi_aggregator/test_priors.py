"""What a figure is shrunk towards may be a minute old where it is made of much; everything else is of now."""

from datetime import timedelta
from typing import Any

from tests.integration.kpi_aggregator.facts import figure

from fairloop.db import sql
from fairloop.testing import Box
from kpi_aggregator.service.priors import KEPT_FOR, MUCH

PEOPLE = 12
DAYS = "from=2025-01-02&to=2025-01-31"
"""No whole month: every day is a bucket of its own."""
A_PERSON = 28
ENOUGH = MUCH // (A_PERSON * PEOPLE) + 1
"""Shards that make many buckets of the twelve people."""

_ANSWERS = """
INSERT INTO bucket (kpi, scope_type, scope_id, view, day, shard, n, promoters, detractors, w, w_promoters,
                    w_detractors, wx, wxx, w2)
SELECT 'nps', 'employee', 'm' || person, 'influenced', date '2025-01-01' + day, shard,
       1, good, 1 - good, 1000000, 1000000 * good, 1000000 * (1 - good), 1000000 * (2 * good - 1), 1000000,
       1000000000000
FROM generate_series($1::int, $2::int) AS person, generate_series(1, $5::int) AS day,
     generate_series($3::int, $4::int) AS shard,
     LATERAL (SELECT CASE WHEN (day + person) % (2 + person) = 0 THEN 0 ELSE 1 END AS good) AS answer
"""


async def answers(box: Box, people: range, *, shards: range = range(1)) -> None:
    """One answer a day and shard of each of these people, some of them unhappy."""
    async with box.db.begin() as session:
        await sql(session, _ANSWERS, people[0], people[-1], shards[0], shards[-1], A_PERSON)


async def prior(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = (await figure(box, "employee/m1", days=DAYS))["prior"]
    assert found["source"] == "peers"
    return found


async def test_the_prior_of_few_buckets_is_of_now(box: Box) -> None:
    await answers(box, range(1, PEOPLE + 1))
    before = await prior(box)
    await answers(box, range(2, 3), shards=range(1, 2))
    assert await prior(box) != before


async def test_the_prior_of_many_buckets_is_kept_for_a_minute_and_then_made_anew(box: Box) -> None:
    await answers(box, range(1, PEOPLE + 1), shards=range(ENOUGH))
    before = await figure(box, "employee/m1", days=DAYS)
    await answers(box, range(1, 3), shards=range(ENOUGH, 2 * ENOUGH))

    meanwhile = await figure(box, "employee/m1", days=DAYS)
    assert (meanwhile["n"], meanwhile["prior"]) == (2 * before["n"], before["prior"])
    box.clock.advance(KEPT_FOR)
    assert await prior(box) != before["prior"]


async def test_a_list_of_figures_has_the_prior_of_now(box: Box) -> None:
    async with box.db.begin() as session:
        await sql(session, "INSERT INTO employee (employee, version, active) VALUES ('m1', 1, true)")
    await answers(box, range(1, PEOPLE + 1), shards=range(ENOUGH))
    kept = await prior(box)
    await answers(box, range(2, 3), shards=range(ENOUGH, 2 * ENOUGH))

    listed = await box.http("analyst").get(f"/v1/kpis/nps/employee?{DAYS}&view=influenced")
    of_now = listed.json()["items"][0]["prior"]
    assert await prior(box) == kept != of_now
    box.clock.advance(KEPT_FOR + timedelta(seconds=1))
    assert await prior(box) == of_now


async def test_other_settings_count_at_once_even_for_a_kept_prior(box: Box) -> None:
    await answers(
        box, range(1, PEOPLE // 2 + 1), shards=range(2 * ENOUGH)
    )  # too few peers: the published prior
    before = (await figure(box, "employee/m1", days=DAYS))["prior"]
    changed = {"mean": before["mean"] + 1, "sd_between": 10, "sd_within": 60}
    await box.http("admin").put("/v1/kpi-settings/nps", json={"prior": changed, "min_n": 5})
    assert (await figure(box, "employee/m1", days=DAYS))["prior"] == {**changed, "source": "published"}
