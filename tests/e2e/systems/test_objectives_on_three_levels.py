"""Objectives at organisation, department and individual level, combined in one plan, weighed by role and seniority."""

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.company import component
from tests.e2e.systems.paid_company import PaidCompany, scores

pytestmark = pytest.mark.timeout(240)

PEOPLE = {
    "senior": ("mechanic", "north"),
    "junior": ("mechanic", "north"),
    "solo": ("mechanic", "south"),
    "planner": ("planner", "office"),
}
LEVELS = (
    component("own", "self", "0.5"),
    component("branch", "own_unit", "0.2"),
    component("company", "organisation", "0.2"),
)


async def test_objectives_of_three_levels_are_combined_in_one_plan(installation: Installation) -> None:
    """Own 45, 35 and 50; north 40, south 50; the organisation 43.3, for which the office without answers stands too."""
    firm = PaidCompany(installation, 1995)
    await firm.found(PEOPLE, senior={"level": "senior"})
    await firm.answered("senior", "north", scores(12, 5, 3))
    await firm.answered("junior", "north", scores(10, 7, 3))
    await firm.answered("solo", "south", scores(13, 4, 3))

    south = component("south", f"org_unit:{firm.name('south')}", "0.1")
    plan = firm.plan([*LEVELS, south], PEOPLE)
    plan["role_weights"] = {
        firm.name("mechanic") + "/senior": {"own": "0.3", "branch": "0.3", "company": "0.3", "south": "0.1"},
        firm.name("planner"): {"branch": "0.5", "company": "0.5"},
    }
    plan["payees"][2]["weights"] = {"own": "1"}
    period = await firm.close("levels", plan)

    weights, payouts = {}, {}
    for person in PEOPLE:
        one = await firm.statement(period, person)
        payouts[person] = one["payout_minor"]
        weights[person] = {part["id"]: part["weight"] for part in one["components"]}
        assert sum(part["payout_minor"] for part in one["components"]) == one["payout_minor"]
    assert weights == {
        "senior": {"own": "0.3", "branch": "0.3", "company": "0.3", "south": "0.1"},
        "junior": {"own": "0.5", "branch": "0.2", "company": "0.2", "south": "0.1"},
        "solo": {"own": "1", "branch": "0", "company": "0", "south": "0"},
        "planner": {"own": "0", "branch": "0.5", "company": "0.5", "south": "0"},
    }
    f_own, f_junior, f_north, f_south, f_company = 1.125, 0.5, 1.0, 1.25, 1.0825
    assert payouts == {
        "senior": round(100_000 * (0.3 * f_own + 0.3 * f_north + 0.3 * f_company + 0.1 * f_south)),
        "junior": round(100_000 * (0.5 * f_junior + 0.2 * f_north + 0.2 * f_company + 0.1 * f_south)),
        "solo": 125_000,
        "planner": 108_250,
    }

    found = (await firm.statement(period, "junior"))["components"]
    assert {part["scope"]: part["value"] for part in found} == {
        "self": 35.0,
        "own_unit": 40.0,
        "organisation": 43.3,
        f"org_unit:{firm.name('south')}": 50.0,
    }


async def test_a_component_may_count_one_segment_only(installation: Installation) -> None:
    """Of the workshop 60.0, of the van −20.0: the van is not what this goal is about."""
    firm = PaidCompany(installation, 1996)
    await firm.found({"m": ("mechanic", "north")})
    await firm.answered("m", "north", scores(14, 4, 2), segments={"channel": "workshop"})
    await firm.answered("m", "north", scores(6, 4, 10), segments={"channel": "van"})
    workshop = component("own", "self", "0.5", segments={"require": {"channel": ["workshop"]}})
    no_van = component("north", "own_unit", "0.5", segments={"exclude": {"channel": ["van"]}})
    period = await firm.close("segments", firm.plan([workshop, no_van], ["m"]))
    one = await firm.statement(period, "m")
    assert [part["value"] for part in one["components"]] == [60.0, 60.0]
    assert one["payout_minor"] == 150_000
    assert (one["counted"], {out["reason"] for out in one["excluded"]}, len(one["excluded"])) == (
        20,
        {"outside_segment"},
        20,
    )


async def test_a_plan_that_cannot_work_leaves_nothing_behind(installation: Installation) -> None:
    firm = PaidCompany(installation, 1996)
    plan = firm.plan([*LEVELS], ["m"])
    path = f"/v1/plans/{firm.name('wrong')}"
    answer = await firm.call("bonus", "PUT", path, plan)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/body/components", "detail": "the weights sum to 0.9, not to 1"}
    ]
    assert (await firm.call("bonus", "GET", path)).status_code == 404
