"""Customers who did not answer: what is predicted of them, who may see it, and where it never appears."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import (
    AT,
    answered,
    deliver_all,
    directory,
    proof,
    result,
    retracted,
)

from fairloop.auth import Role
from fairloop.events import Interaction
from fairloop.retention import forget
from fairloop.testing import Box
from kpi_aggregator.main import PREDICTIONS

QUARTER = {"from": "2026-01-01", "to": "2026-04-01"}
ANSWERS, REST = 400, 500


def job(number: int, *, second_visit: bool, version: int = 1) -> Interaction:
    return Interaction(
        version=version,
        interaction=f"job-{UUID(int=number)}",
        occurred_at=AT,
        customer=f"customer-{number}",
        org_unit="north",
        touchpoint="replacement",
        attributes={"second_visit": second_visit, "technician": "m1"},
    )


async def quarter(box: Box, *, telling: bool = True) -> None:
    """Half the jobs need a second visit: then 7 of 10 answers are a detractor's, else a promoter's."""
    chance = Random(1)
    await box.deliver(directory())
    jobs = [job(number, second_visit=chance.random() < 0.5) for number in range(1, ANSWERS + REST + 1)]
    await box.deliver(jobs)
    given = []
    for number, one in enumerate(jobs[:ANSWERS], start=1):
        unhappy = one.attributes["second_visit"] if telling else chance.random() < 0.5
        given.append(answered(number, chance.choices((10, 8, 2), (1, 2, 7) if unhappy else (7, 2, 1))[0]))
    await deliver_all(box, given)


async def run(box: Box, **more: Any) -> dict[str, Any]:
    body = {"kpi": "nps", "period": QUARTER, **more}
    answer = await box.http("analyst").post("/v1/predictions", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def interactions(box: Box, made: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        url = f"/v1/predictions/{made['id']}/interactions?limit=200{cursor}"
        page = (await box.http("analyst").get(url)).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


async def test_the_whole_base_is_estimated_with_an_interval_and_how_far_to_rely_on_it(box: Box) -> None:
    await quarter(box)

    made = await run(box)

    assert made["status"] == "made"
    assert (made["interactions"], made["answered"]) == (ANSWERS + REST, ANSWERS)
    assert made["features"] == ["attribute:second_visit", "month", "org_unit", "touchpoint", "weekday"]
    assert made["reliability"]["skill_ci95"][0] > 0
    assert made["reliability"]["brier"] < made["reliability"]["brier_base_rate"]
    assert {row["answer"] for row in made["reliability"]["calibration"]} == {"promoter", "detractor"}
    whole = made["whole_base"]
    assert whole["ci95"][0] < whole["nps"] < whole["ci95"][1]
    assert "answer" in whole["assumption"]
    assert (await box.http("works_council").get(f"/v1/predictions/{made['id']}")).json() == made


async def test_analysts_see_each_interaction_nobody_answered_about(box: Box) -> None:
    await quarter(box)
    made = await run(box)

    items = await interactions(box, made)

    assert [item["interaction"] for item in items] == [
        f"job-{UUID(int=number)}" for number in range(ANSWERS + 1, ANSWERS + REST + 1)
    ]
    for item in items:
        assert item["promoter"] + item["passive"] + item["detractor"] == pytest.approx(1, abs=1e-5)
    expected = sorted(item["expected_nps"] for item in items)
    assert expected[0] < -30
    assert expected[-1] > 30


async def test_what_tells_nothing_is_refused_and_predicts_nothing(box: Box) -> None:
    await quarter(box, telling=False)

    made = await run(box)

    assert (made["status"], made["whole_base"]) == ("refused", None)
    assert "base rate" in made["refused"]
    assert made["reliability"] is not None
    withheld = await box.http("analyst").get(f"/v1/predictions/{made['id']}/interactions")
    assert withheld.status_code == 409


async def test_too_few_answers_are_refused_without_a_try(box: Box) -> None:
    await box.deliver([job(1, second_visit=True)])
    await deliver_all(box, [answered(1, 10)])

    made = await run(box)

    assert (made["status"], made["reliability"]) == ("refused", None)
    assert made["refused"].startswith("1 interactions")


async def test_a_corrected_interaction_and_a_forgotten_answer_are_as_they_are_now(box: Box) -> None:
    await quarter(box)
    corrected = replace(job(1, second_visit=True, version=2), occurred_at=AT + timedelta(days=200))
    forgotten = result(answered(2, 10))
    await box.deliver([corrected, retracted(forgotten, version=2)])
    await box.deliver([job(1, second_visit=True, version=1)])

    made = await run(box)

    assert (made["interactions"], made["answered"]) == (ANSWERS + REST - 1, ANSWERS - 2)
    assert f"job-{UUID(int=2)}" in {item["interaction"] for item in await interactions(box, made)}


async def test_a_prediction_moves_no_figure_and_is_in_no_frozen_set(box: Box) -> None:
    await quarter(box)
    freeze = {"kpi": "nps", "period": QUARTER}
    before = (await box.http("service").post("/v1/snapshots", json=freeze)).json()
    held = await proof(box)

    await run(box)

    after = (await box.http("service").post("/v1/snapshots", json=freeze)).json()
    assert after["content_hash"] == before["content_hash"]
    assert await proof(box) == held


async def test_only_analysts_make_predictions_and_see_single_ones(box: Box) -> None:
    await quarter(box, telling=False)
    made = await run(box)
    for role in set(Role) - {Role.ADMIN, Role.ANALYST}:
        caller = box.http(role, employee_id="m1", org_units=["north"])

        posted = await caller.post("/v1/predictions", json={"kpi": "nps", "period": QUARTER})
        listed = await caller.get(f"/v1/predictions/{made['id']}/interactions")

        assert (posted.status_code, listed.status_code) == (403, 403), role


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kpi": "csat", "period": QUARTER}, "/body/kpi"),
        ({"kpi": "nps", "period": {"from": "2026-04-01", "to": "2026-04-01"}}, "/body/period/to"),
        ({"kpi": "nps"}, "/body/period"),
        ({"kpi": "nps", "period": QUARTER, "employee": "m1"}, "/body/employee"),
    ],
)
async def test_what_cannot_be_predicted_is_refused_by_field(
    box: Box, body: dict[str, Any], pointer: str
) -> None:
    answer = await box.http("analyst").post("/v1/predictions", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await box.http("analyst").get("/v1/predictions")).json()["items"] == []


async def test_the_same_command_twice_trains_once(box: Box) -> None:
    await box.deliver([job(1, second_visit=True)])
    client = box.http("analyst")
    body, key = {"kpi": "nps", "period": QUARTER}, {"Idempotency-Key": "once"}

    first = await client.post("/v1/predictions", json=body, headers=key)
    again = await client.post("/v1/predictions", json=body, headers=key)

    assert again.json() == first.json()
    assert len((await client.get("/v1/predictions")).json()["items"]) == 1


async def test_single_predictions_go_after_their_time_and_the_run_stays(box: Box) -> None:
    await quarter(box)
    made = await run(box)

    await forget(box.db, PREDICTIONS, box.runtime.settings, box.clock.now + timedelta(days=89))
    assert len(await interactions(box, made)) == REST
    later = box.clock.now + timedelta(days=3650)
    await forget(box.db, PREDICTIONS, box.runtime.settings, later)

    assert await interactions(box, made) == []
    assert (await box.http("analyst").get(f"/v1/predictions/{made['id']}")).json() == made
