"""What a figure is shrunk towards may be a minute old where it is made of much; everything else is of now."""

from datetime import timedelta
from typing import Any

from tests.integration.kpi_aggregator.facts import figure

from fairloop.db import sql
from fairloop.testing import Box
from kpi_aggregator.service.priors import KEPT_FOR, MUCH

PEOPLE = 12
DAYS = "from=2025-01-01&to=2026-01-01"

_ANSWERS = """
INSERT INTO bucket (kpi, scope_type, scope_id, view, day, shard, n, promoters, detractors, w, w_promoters,
                    w_detractors, wx, wxx, w2)
SELECT 'nps', 'employee', 'm' || person, 'influenced', date '2025-01-01' + day, $3::smallint,
       1, good, 1 - good, 1000000, 1000000 * good, 1000000 * (1 - good), 1000000 * (2 * good - 1), 1000000,
       1000000000000
FROM generate_series($1::int, $2::int) AS person, generate_series(1, $4::int) AS day,
     LATERAL (SELECT CASE WHEN (day + person) % (2 + person) = 0 THEN 0 ELSE 1 END AS good) AS answer
"""


async def answers(box: Box, people: range, *, shard: int, days: int) -> None:
    """One answer a day of each of these people, some of them unhappy."""
    async with box.db.begin() as session:
        await sql(session, _ANSWERS, people[0], people[-1], shard, days)


async def prior(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = (await figure(box, "employee/m1", days=DAYS))["prior"]
    assert found["source"] == "peers"
    return found


async def test_the_prior_of_few_buckets_is_of_now(box: Box) -> None:
    await answers(box, range(1, PEOPLE + 1), shard=0, days=20)
    before = await prior(box)
    await answers(box, range(2, 3), shard=1, days=20)
    assert await prior(box) != before


async def test_the_prior_of_many_buckets_is_kept_for_a_minute_and_then_made_anew(box: Box) -> None:
    days = MUCH // PEOPLE + 1
    await answers(box, range(1, PEOPLE + 1), shard=0, days=days)
    before = await figure(box, "employee/m1", days=DAYS)
    await answers(box, range(1, 3), shard=1, days=days)

    meanwhile = await figure(box, "employee/m1", days=DAYS)
    assert (meanwhile["n"], meanwhile["prior"]) == (2 * before["n"], before["prior"])
    box.clock.advance(KEPT_FOR)
    assert await prior(box) != before["prior"]


async def test_a_list_of_figures_has_the_prior_of_now(box: Box) -> None:
    async with box.db.begin() as session:
        await sql(session, "INSERT INTO employee (employee, version, active) VALUES ('m1', 1, true)")
    days = MUCH // PEOPLE + 1
    await answers(box, range(1, PEOPLE + 1), shard=0, days=days)
    kept = await prior(box)
    await answers(box, range(2, 3), shard=1, days=days)

    listed = await box.http("analyst").get(f"/v1/kpis/nps/employee?{DAYS}&view=influenced")
    of_now = listed.json()["items"][0]["prior"]
    assert await prior(box) == kept != of_now
    box.clock.advance(KEPT_FOR + timedelta(seconds=1))
    assert await prior(box) == of_now


async def test_other_settings_count_at_once_even_for_a_kept_prior(box: Box) -> None:
    days = MUCH // (PEOPLE // 2) + 1
    await answers(box, range(1, PEOPLE // 2 + 1), shard=0, days=days)  # too few peers: the published prior
    before = (await figure(box, "employee/m1", days=DAYS))["prior"]
    changed = {"mean": before["mean"] + 1, "sd_between": 10, "sd_within": 60}
    await box.http("admin").put("/v1/kpi-settings/nps", json={"prior": changed, "min_n": 5})
    assert (await figure(box, "employee/m1", days=DAYS))["prior"] == {**changed, "source": "published"}
