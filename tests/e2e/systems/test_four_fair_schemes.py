"""Individual, team, everyone, overachievement and pool, side by side on one approved period, by simulation."""

from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.company import CURVE, component
from tests.e2e.systems.paid_company import PaidCompany, scores

pytestmark = pytest.mark.timeout(240)

FOUR = ("a", "b", "c", "d")
OWN = component("own", "self", "1")
UNIT = component("unit", "own_unit", "1")


async def test_the_four_schemes_and_the_pool_side_by_side_on_one_approved_period(
    installation: Installation,
) -> None:
    """Own scores 50, 45, 35 and none; their unit, with a colleague who is not paid by this plan, has 42."""
    firm = PaidCompany(installation, 1997)
    await firm.found(dict.fromkeys((*FOUR, "colleague"), ("mechanic", "north")))
    await firm.answered("a", "north", scores(13, 4, 3))
    await firm.answered("b", "north", scores(12, 5, 3))
    await firm.answered("c", "north", scores(10, 7, 3))
    await firm.answered("colleague", "north", scores(20, 16, 4))
    period = await firm.close("individual", firm.plan([OWN], FOUR, scheme="individual"))

    capped = [
        {"employee": firm.name(name), "target_bonus_minor": 100_000, "cap_minor": 80_000} for name in FOUR
    ]
    tried: dict[str, Any] = {
        "individual": firm.plan([OWN], (), scheme="individual"),
        "team": firm.plan([UNIT], (), scheme="team"),
        "everyone": firm.plan([OWN], (), scheme="everyone", flat_bonus_minor=60_000),
        "overachievement": firm.plan([OWN], ()),
        "pool": firm.plan([OWN], (), scheme="pool", pool_minor=300_000),
        "capped": firm.plan([OWN], (), scheme="pool", pool_minor=300_000, payees=capped),
        "unspent": firm.plan([OWN], (), scheme="pool", pool_minor=350_000, payees=capped),
        "tracked": firm.plan([OWN], (), mode="track_only"),
    }
    body = {
        "periods": [period],
        "candidates": [{"id": id, "plan": plan} for id, plan in tried.items()],
        "replicates": 40,
    }
    made = await firm.ask("bonus", "POST", "/v1/simulations", body, by="finance")
    replays = {one["id"]: one["periods"][0] for one in made["candidates"]}
    assert {id: [person["payout_minor"] for person in one["people"]] for id, one in replays.items()} == {
        "individual": [100_000, 100_000, 50_000, 100_000],
        "team": [100_000] * 4,
        "everyone": [60_000, 60_000, 0, 60_000],
        "overachievement": [125_000, 112_500, 50_000, 105_000],
        "pool": [95_541, 85_987, 38_217, 80_255],
        "capped": [80_000, 80_000, 60_000, 80_000],
        "unspent": [80_000] * 4,
        "tracked": [0] * 4,
    }
    assert (replays["unspent"]["total_minor"], replays["unspent"]["unspent_minor"]) == (320_000, 30_000)

    above = replays["overachievement"]
    assert (above["before_minor"], above["total_minor"]) == (350_000, 392_500)
    assert {person["employee"]: person["difference_minor"] for person in above["people"]} == {
        firm.name("a"): 25_000,
        firm.name("b"): 12_500,
        firm.name("c"): 0,
        firm.name("d"): 5_000,
    }
    (unit,) = above["units"]
    assert (unit["org_unit"], unit["people"], unit["difference_minor"]) == (firm.name("north"), 4, 42_500)
    chance = above["chance"]
    assert (chance["blocks"], chance["replicates"]) == ("week", 40)
    assert chance["cost_p5_minor"] < chance["cost_p50_minor"] < chance["cost_p95_minor"]
    assert 0 < chance["noise_share"] <= 1
    cliff = next(one for one in made["candidates"] if one["id"] == "everyone")["findings"]
    assert "cliff" in {one["code"] for one in cliff}

    again = await firm.ask("bonus", "GET", f"/v1/simulations/{made['id']}")
    assert again == made
    council = await firm.ask("bonus", "GET", f"/v1/simulations/{made['id']}", by="works_council")
    assert [
        (one["total_minor"], one["periods"][0]["people"], one["periods"][0]["units"])
        for one in council["candidates"]
    ] == [(one["total_minor"], [], []) for one in made["candidates"]]
    hers = await firm.call("bonus", "GET", f"/v1/simulations/{made['id']}", by="employee a")
    assert hers.status_code == 403
    assert (await firm.statement(period, "c"))["payout_minor"] == 50_000
    payroll = await firm.ask("bonus", "GET", f"/v1/periods/{period}/payroll.csv", by="finance")
    assert payroll.count("\r\n") == 5


async def test_pay_weighs_how_sure_a_score_is_in_one_of_two_ways_behind_the_coverage_gate(
    installation: Installation,
) -> None:
    """Both have 45 from 20 answers (λ .4128, mode B's F .859301). All of b's customers were invited, half of c's."""
    firm = PaidCompany(installation, 1994)
    await firm.found({"b": ("mechanic", "north"), "c": ("mechanic", "north")})
    for person in ("b", "c"):
        await firm.answered(person, "north", scores(12, 5, 3))
    await firm.invited(0, eligible=20, sent=20)
    await firm.invited(20, eligible=20, sent=10)
    for person in ("b", "c"):
        await firm.invitations_known(person, 20)
    fallback = component("own", "self", "1", curve={**CURVE, "threshold": "40", "target": "50"})
    gate = {"kind": "coverage", "minimum": "0.8"}
    mode_b = firm.plan([OWN], ("b", "c"), gates=[gate], reliability_mode="B")
    period = await firm.close("expected", mode_b)

    b, c = await firm.statement(period, "b"), await firm.statement(period, "c")
    assert (b["components"][0]["f"], b["payout_minor"], b["gates"][0]["passed"]) == ("0.859301", 85_930, True)
    assert (c["components"][0]["sources"][0]["scope_id"], c["gates"][0]["passed"]) == (
        firm.name("north"),
        False,
    )
    assert c["gates"][0]["message"] == (
        "10 of 20 customers were invited, less than 0.8 of them; the team's result counts instead"
    )
    assert c["payout_minor"] == 112_500
    for one in (b, c):
        assert sum(step["amount_minor"] for step in one["waterfall"]) == one["payout_minor"]

    mode_a = firm.plan([fallback], (), gates=[gate], reliability_mode="A")
    body = {"periods": [period], "candidates": [{"id": "a", "plan": mode_a}], "replicates": 0}
    (candidate,) = (await firm.ask("bonus", "POST", "/v1/simulations", body))["candidates"]
    assert [one["payout_minor"] for one in candidate["periods"][0]["people"]] == [50_000, 50_000]

    refused = await firm.call("bonus", "PUT", f"/v1/plans/{firm.name('bare')}", {**mode_b, "gates": []})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/gates"]


async def test_a_simulation_that_makes_no_sense_is_refused_and_not_kept(installation: Installation) -> None:
    firm = PaidCompany(installation, 1998)
    await firm.found({"a": ("mechanic", "north")})
    await firm.answered("a", "north", scores(12, 5, 3))
    period = await firm.close("individual", firm.plan([OWN], ["a"]))
    kept = await firm.ask("bonus", "GET", "/v1/simulations?limit=500")

    def asked(**plan: Any) -> dict[str, Any]:
        return {"periods": [period], "candidates": [{"id": "x", "plan": firm.plan([OWN], ()) | plan}]}

    refused = {
        "/body/candidates/0/plan/flat_bonus_minor": asked(scheme="everyone"),
        "/body/candidates/0/plan/gates": asked(reliability_mode="B"),
        "/body/candidates/0/plan/components": asked(components=[{**OWN, "kpi": "csat"}]),
        "/body/candidates/0/plan/payees": asked(payees=[{"employee": "x", "target_bonus_minor": 1}]),
        "/body/periods": {**asked(), "periods": []},
    }
    for pointer, body in refused.items():
        answer = await firm.call("bonus", "POST", "/v1/simulations", body)
        assert answer.status_code == 422, (pointer, answer.text)
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text

    open_period = firm.name("open")
    days = {"from": str(firm.start), "to": str(firm.end), "plan": firm.name("individual")}
    await firm.ask("bonus", "PUT", f"/v1/periods/{open_period}", days)
    not_closed = await firm.call("bonus", "POST", "/v1/simulations", {**asked(), "periods": [open_period]})
    assert (not_closed.status_code, not_closed.json()["detail"]) == (
        409,
        "The period is open; there is no approved run yet.",
    )
    assert await firm.ask("bonus", "GET", "/v1/simulations?limit=500") == kept
