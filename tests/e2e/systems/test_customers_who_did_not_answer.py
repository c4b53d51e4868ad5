"""Customers who did not answer: predicted from what is known of their interaction, for analysts, and never for pay."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest
from tests.e2e.installation import Installation

pytestmark = pytest.mark.timeout(240)

PERIOD = {"from": "2023-02-01", "to": "2023-03-01"}
"""Days no other test has interactions on."""
BEGIN = datetime(2023, 2, 1, 9, 0, tzinfo=UTC)
JOBS, PATIENCE_SECONDS = 900, 60


async def test_customers_who_did_not_answer(installation: Installation) -> None:
    jobs, answers, truth = company()
    await tell(installation, jobs, answers)
    await until_counted(installation, len(answers))

    async with somebody(installation, "analyst") as analyst:
        made = (await analyst.post("/v1/predictions", json={"kpi": "nps", "period": PERIOD})).json()
        listed = (await analyst.get(f"/v1/predictions/{made['id']}/interactions?limit=500")).json()["items"]
    assert made["status"] == "made", made
    assert (made["interactions"], made["answered"]) == (JOBS, len(answers))
    assert made["reliability"]["skill_ci95"][0] > 0
    low, high = made["whole_base"]["ci95"]
    assert low <= truth <= high
    assert made["whole_base"]["nps_of_answers"] > high  # the unhappy answered less
    answered = {answer["interaction_ref"] for answer in answers}
    assert answered.isdisjoint(item["interaction"] for item in listed)
    assert len(listed) == min(500, JOBS - len(answers))

    async with somebody(installation, "service") as bonus:
        for path in ("", f"/{made['id']}", f"/{made['id']}/interactions"):
            assert (await bonus.get(f"/v1/predictions{path}")).status_code == 403
        frozen = await bonus.post("/v1/snapshots", json={"kpi": "nps", "period": PERIOD})
        snapshot = await bonus.get(f"/v1/snapshots/{frozen.json()['id']}")
    assert "predict" not in snapshot.text
    assert len(snapshot.json()["contributions"]) == len(answers)


async def test_what_tells_nothing_beyond_the_base_rate_is_refused(installation: Installation) -> None:
    async with somebody(installation, "analyst") as analyst:
        empty = {"kpi": "nps", "period": {"from": "2022-02-01", "to": "2022-03-01"}}
        made = (await analyst.post("/v1/predictions", json=empty)).json()
        listed = await analyst.get(f"/v1/predictions/{made['id']}/interactions")

    assert (made["status"], made["whole_base"]) == ("refused", None)
    assert listed.status_code == 409


def company() -> tuple[list[dict[str, Any]], list[dict[str, Any]], float]:
    """Half the jobs need a second visit: those customers are unhappy and answer half as often; and the true NPS."""
    chance = Random(5)
    jobs, answers, balance = [], [], 0
    for number in range(JOBS):
        second_visit = chance.random() < 0.5
        score = chance.choices((10, 8, 2), (1, 2, 7) if second_visit else (7, 2, 1))[0]
        balance += (score >= 9) - (score <= 6)
        at = BEGIN + timedelta(minutes=40 * number)
        jobs.append(
            {
                "id": f"unanswered-{number}",
                "occurred_at": at.isoformat(),
                "customer_ref": f"unanswered-{number}",
                "org_unit": "unanswered",
                "touchpoint": "repair",
                "participants": [],
                "attributes": {"second_visit": second_visit, "minutes": chance.randrange(90)},
            }
        )
        if chance.random() < (0.3 if second_visit else 0.6):
            answers.append(
                {
                    "connection": "unanswered",
                    "survey_id": "after-repair",
                    "response_id": f"unanswered-{number}",
                    "submitted_at": (at + timedelta(hours=2)).isoformat(),
                    "scores": {"nps": score},
                    "customer": {"ref": f"unanswered-{number}"},
                    "interaction_ref": f"unanswered-{number}",
                }
            )
    return jobs, answers, 100 * balance / JOBS


async def tell(installation: Installation, jobs: list[dict[str, Any]], answers: list[dict[str, Any]]) -> None:
    connection = {"platform": "fairloop", "unsigned": True, "survey_type": "transactional"}
    async with (
        installation.client("attribution") as attribution,
        installation.client("survey-intake") as intake,
    ):
        for answer in (
            await attribution.put("/v1/org-units/unanswered", json={"name": "Unanswered", "parent": None}),
            await intake.put("/v1/connections/unanswered", json=connection),
            await attribution.post("/v1/interactions", json={"interactions": jobs}),
            await intake.post("/v1/responses", json={"responses": answers}),
        ):
            assert answer.is_success, answer.text


async def until_counted(installation: Installation, answers: int) -> None:
    """Every answer is counted in the unit of its job, and every job is known."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with installation.client("kpi-aggregator") as client:
        while True:
            days = {"from": PERIOD["from"], "to": PERIOD["to"]}
            figure = (await client.get("/v1/kpis/nps/org_unit/unanswered", params=days)).json()
            if figure["n"] == answers:
                return
            assert time.monotonic() < deadline, figure
            await asyncio.sleep(0.2)


def somebody(installation: Installation, role: str) -> httpx.AsyncClient:
    token = installation.fairloop("token", "--role", role).strip()
    return httpx.AsyncClient(
        base_url=installation.url("kpi-aggregator"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
