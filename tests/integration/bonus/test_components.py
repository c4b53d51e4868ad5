"""Components that are only tracked, count some segments, or weigh differently by role and seniority."""

from datetime import date
from typing import Any

from fairloop.events import Assignment, Employee

from .aggregator import RESPONSES, Aggregator, contribution, figure
from .office import CURVE, Office, plan_body

OWN, UNIT = plan_body()["components"]


async def calculated(office: Office, **changed: Any) -> dict[str, Any]:
    await office.publish(**changed)
    await office.open_period()
    return await office.calculate()


async def test_team_goals_are_paid_and_individual_ones_only_tracked(office: Office) -> None:
    tracked = OWN | {"paid": False, "weight": "0"}
    await calculated(office, scheme="team", components=[UNIT | {"weight": "1"}, tracked])
    one = await office.statement("m1")
    assert one["payout_minor"] == 30_000
    unit, own = one["components"]
    assert (unit["paid"], unit["payout_minor"]) == (True, 30_000)
    assert (own["paid"], own["value"], own["f"], own["payout_minor"]) == (False, 45.0, "1", 0)
    assert one["counted"] == 20


async def test_nobodys_pay_waits_for_a_score_that_is_only_tracked(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.figures = [figure("org_unit:north", 33.0, view=view) for view in ("all", "influenced")]
    tracked = OWN | {"paid": False, "weight": "0", "id": "easy", "kpi": "nps", "scope": "organisation"}
    await calculated(office, scheme="team", components=[UNIT | {"weight": "1"}, tracked])
    one = await office.statement("m1")
    assert (one["payout_minor"], one["components"][1]["sources"]) == (30_000, [])


async def test_a_component_counts_only_the_segments_it_names(office: Office, aggregator: Aggregator) -> None:
    aggregator.narrowed = [
        figure("employee:m1", 60.0),
        figure("org_unit:north", 40.0),
        figure("organisation:all", 40.0, view="all"),
    ]
    aggregator.contributions = [
        *aggregator.contributions[:20],
        contribution(20, "detractor") | {"segments": {"channel": "mobile"}},
    ]
    workshop = OWN | {"segments": {"require": {"channel": ["workshop"]}}}
    await calculated(office, components=[workshop, UNIT])
    one = await office.statement("m1")
    own = one["components"][0]
    assert (own["value"], own["f"]) == (60.0, "1.5")
    assert one["counted"] == 20
    assert one["excluded"] == [{"response_id": RESPONSES[20], "reason": "outside_segment"}]
    shown = (await office.admin.get("/v1/plans/quarterly")).json()["components"][0]
    assert shown["segments"] == {"require": {"channel": ["workshop"]}, "exclude": {}}


async def test_corrections_of_a_segmented_component_are_those_of_its_segment(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.narrowed = [figure("employee:m1", 40.0), figure("employee:m2", 40.0)]
    workshop = OWN | {"weight": "1", "segments": {"require": {"channel": ["workshop"]}}}
    run = await calculated(office, components=[workshop])
    await office.approve(run)
    aggregator.narrowed = [figure("employee:m1", 50.0), figure("employee:m2", 40.0)]
    items = (await office.finance.get("/v1/periods/2026Q1/adjustments")).json()["items"]
    assert [(one["employee"], one["difference_minor"]) for one in items] == [("m1", 25_000)]


async def test_seniority_and_role_weigh_differently(office: Office) -> None:
    """m1 is senior: .2 on the own score; m2 a mechanic without a level: .5; s1 a scheduler: as the plan says."""
    await office.box.deliver(
        [
            Employee(version=2, employee="m1", level="senior"),
            Assignment(
                version=2,
                assignment="a-s1",
                employee="s1",
                role="scheduler",
                org_unit="north",
                valid_from=date(2025, 1, 1),
            ),
        ]
    )
    weights = {
        "mechanic": {"own": "0.5", "unit": "0.5"},
        "mechanic/senior": {"own": "0.2", "unit": "0.8"},
    }
    payees = [{"employee": name, "target_bonus_minor": 100_000} for name in ("m1", "m2", "s1")]
    await calculated(office, role_weights=weights, payees=payees)
    found = {name: (await office.statement(name))["components"][0]["weight"] for name in ("m1", "m2", "s1")}
    assert found == {"m1": "0.2", "m2": "0.5", "s1": "0.6"}


async def test_too_few_invited_customers_bring_the_teams_result(office: Office) -> None:
    """24 of m1's 25 customers were invited, 12 of m2's 30."""
    await calculated(office, gates=[{"kind": "coverage", "minimum": "0.8"}])
    m1, m2 = await office.statement("m1"), await office.statement("m2")
    assert (m1["gates"][0]["passed"], m1["payout_minor"]) == (True, 79_500)
    assert m1["gates"][0]["message"] == "24 of 25 customers were invited, at least 0.8 of them are needed"
    assert (m2["gates"][0]["passed"], m2["payout_minor"]) == (False, 30_000)
    assert "12 of 30 customers were invited, less than 0.8" in m2["gates"][0]["message"]


async def test_an_unknown_coverage_counts_as_too_little_and_says_so(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.coverage = {}
    await calculated(office, gates=[{"kind": "coverage", "minimum": "0.8"}])
    one = await office.statement("m1")
    assert (one["payout_minor"], one["gates"][0]["passed"]) == (30_000, False)
    assert "unknown how many of your customers were invited" in one["gates"][0]["message"]


async def test_mode_b_pays_what_the_curve_is_expected_to_pay(office: Office, aggregator: Aggregator) -> None:
    """μ 40, τ 15, σ 80, 20 responses of 45: λ .412844, θ 42.06, F .859301."""
    aggregator.figures = [figure("employee:m1", 45.0, reliability=0.412844), *aggregator.figures[1:]]
    payees = [{"employee": "m1", "target_bonus_minor": 1_000_000}]
    curve = OWN | {"weight": "1", "curve": CURVE}
    gates = [{"kind": "coverage", "minimum": "0.8"}]
    await calculated(office, reliability_mode="B", components=[curve], payees=payees, gates=gates)
    one = await office.statement("m1")
    assert (one["components"][0]["f"], one["payout_minor"]) == ("0.859301", 859_301)
    assert sum(step["amount_minor"] for step in one["waterfall"]) == 859_301


async def test_goals_look_at_coverage_and_seniority_as_the_close_does(office: Office) -> None:
    await office.box.deliver([Employee(version=2, employee="m1", level="senior")])
    weights = {"mechanic/senior": {"own": "0.2", "unit": "0.8"}}
    await office.publish(gates=[{"kind": "coverage", "minimum": "0.8"}], role_weights=weights)
    await office.open_period()
    await office.calculate()
    for name in ("m1", "m2"):
        (goal,) = (await office.employee(name).get(f"/v1/goals/{name}")).json()["items"]
        assert goal["payout_minor"] == (await office.statement(name))["payout_minor"]
