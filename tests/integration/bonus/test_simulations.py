from typing import Any
from uuid import UUID

from fairloop.events import BonusRun

from .aggregator import Aggregator
from .office import Office, plan_body


def asked(**changed: Any) -> dict[str, Any]:
    plan = plan_body(**changed)
    plan["payees"] = changed.get("payees", [])
    return {"periods": ["2026Q1"], "candidates": [{"id": "new", "plan": plan}], "replicates": 20}


async def approved(office: Office, **changed: Any) -> None:
    await office.publish(**changed)
    await office.open_period()
    await office.approve(await office.calculate())


async def test_a_simulation_is_kept_and_moves_nothing(office: Office) -> None:
    await approved(office)
    before = await office.statement("m1")
    told = len(await office.box.published(BonusRun))
    made = await office.finance.post("/v1/simulations", json=asked(scheme="individual"))
    assert made.status_code == 201, made.text
    (candidate,) = made.json()["candidates"]
    (replay,) = candidate["periods"]
    assert [(one["employee"], one["before_minor"], one["payout_minor"]) for one in replay["people"]] == [
        ("m1", 79_500, 72_000),
        ("m2", 12_000, 12_000),
    ]
    assert (candidate["difference_minor"], replay["units"][0]["difference_minor"]) == (-7_500, -7_500)
    assert replay["chance"]["blocks"] == "response"
    assert (await office.finance.get(f"/v1/simulations/{made.json()['id']}")).json() == made.json()
    assert (await office.finance.get("/v1/simulations")).json()["items"] == [made.json()]
    assert await office.statement("m1") == before
    assert len(await office.box.published(BonusRun)) == told


async def test_what_others_earn_is_not_for_who_reads_aggregates(office: Office) -> None:
    await approved(office)
    made = (await office.finance.post("/v1/simulations", json=asked())).json()
    for role in ("works_council", "analyst"):
        seen = (await office.box.http(role).get(f"/v1/simulations/{made['id']}")).json()
        (replay,) = seen["candidates"][0]["periods"]
        assert (replay["total_minor"], replay["people"], replay["units"]) == (91_500, [], [])
    for role in ("employee", "manager"):
        assert (await office.box.http(role).get(f"/v1/simulations/{made['id']}")).status_code == 403
    assert (await office.finance.get(f"/v1/simulations/{UUID(int=1)}")).status_code == 404


async def test_too_much_to_compute_is_refused(office: Office) -> None:
    await approved(
        office, payees=[{"employee": f"p{number}", "target_bonus_minor": 1} for number in range(3_001)]
    )
    answer = await office.finance.post("/v1/simulations", json=asked() | {"replicates": 1000})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/replicates"


async def test_a_candidate_whose_figures_are_missing_says_so(office: Office, aggregator: Aggregator) -> None:
    await approved(office)
    segments = {"require": {"channel": ["nowhere"]}}
    own = plan_body()["components"][0] | {"weight": "1", "segments": segments}
    made = (await office.finance.post("/v1/simulations", json=asked(components=[own]))).json()
    assert (
        "even the organisation has no nps|channel:nowhere" in made["candidates"][0]["periods"][0]["missing"]
    )
