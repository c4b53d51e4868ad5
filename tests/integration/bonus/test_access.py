from datetime import UTC, datetime

import pytest

from .aggregator import Aggregator
from .office import Office

STATEMENTS = "/v1/periods/2026Q1/statements"


async def _calculated(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await office.calculate()


@pytest.mark.fault(20)
async def test_employees_see_their_own_statement_only(office: Office) -> None:
    await _calculated(office)
    m1 = office.employee("m1")
    assert (await m1.get(f"{STATEMENTS}/m1")).status_code == 200
    assert (await m1.get(f"{STATEMENTS}/m2")).status_code == 404
    assert [one["employee"] for one in (await m1.get(STATEMENTS)).json()["items"]] == ["m1"]
    assert (await office.employee("s1").get(STATEMENTS)).json()["items"] == []


@pytest.mark.parametrize(
    ("units", "seen"), [(["north"], ["m1", "m2"]), (["company"], ["m1", "m2"]), (["south"], [])]
)
async def test_managers_see_the_statements_of_their_subtree(
    office: Office, units: list[str], seen: list[str]
) -> None:
    await _calculated(office)
    manager = office.box.http("manager", sub="boss", org_units=units)
    assert [one["employee"] for one in (await manager.get(STATEMENTS)).json()["items"]] == seen
    assert (await manager.get(f"{STATEMENTS}/m1")).status_code == (200 if seen else 404)


async def test_the_works_council_reads_rules_and_totals_but_no_ones_pay(office: Office) -> None:
    await _calculated(office)
    council = office.box.http("works_council")
    assert (await council.get("/v1/plans/quarterly")).status_code == 200
    assert (await council.get("/v1/periods/2026Q1/runs")).status_code == 200
    for path in (STATEMENTS, f"{STATEMENTS}/m1", "/v1/periods/2026Q1/payroll.csv", "/v1/goals/m1"):
        assert (await council.get(path)).status_code == 403


@pytest.mark.parametrize("role", ["employee", "manager", "analyst", "ops", "works_council", "service"])
async def test_only_finance_and_admin_calculate_and_pay(office: Office, role: str) -> None:
    await _calculated(office)
    caller = office.box.http(role, employee_id="m1")
    assert (await caller.post("/v1/periods/2026Q1/calculate")).status_code == 403
    assert (await caller.get("/v1/periods/2026Q1/payroll.csv")).status_code == 403
    assert (await caller.get("/v1/periods/2026Q1/adjustments")).status_code == 403


async def test_what_does_not_exist_is_not_found(office: Office) -> None:
    assert (await office.admin.get("/v1/plans/none")).status_code == 404
    assert (await office.admin.get("/v1/periods/none")).status_code == 404
    assert (await office.admin.get("/v1/periods/none/statements/m1")).status_code == 404
    assert (await office.admin.get("/v1/periods/none/payroll.csv")).status_code == 404
    assert (await office.admin.get("/v1/runs/01900000-0000-7000-8000-000000000000")).status_code == 404
    assert (await office.box.http().get("/v1/plans/none")).status_code == 401


async def test_goals_show_where_somebody_stands_today(office: Office) -> None:
    await office.publish()
    await office.open_period()
    answer = await office.employee("m1").get("/v1/goals/m1")
    assert answer.status_code == 200, answer.text
    (goal,) = answer.json()["items"]
    assert (goal["period"], goal["from"], goal["payout_minor"], goal["missing"]) == (
        "2026Q1",
        "2026-01-01",
        79_500,
        None,
    )
    own = goal["components"][0]
    assert (own["value"], own["f"], own["curve"]["target"]) == (45.0, "1.125", "40")
    assert (await office.employee("m2").get("/v1/goals/m1")).status_code == 404


async def test_goals_are_of_the_period_that_is_running(office: Office) -> None:
    await office.publish()
    await office.open_period()
    office.box.clock.now = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
    assert (await office.employee("m1").get("/v1/goals/m1")).json()["items"] == []


async def test_goals_say_what_is_missing(office: Office, aggregator: Aggregator) -> None:
    await office.publish()
    await office.open_period()
    aggregator.figures = []
    (goal,) = (await office.employee("m1").get("/v1/goals/m1")).json()["items"]
    assert (goal["payout_minor"], goal["components"]) == (None, [])
    assert "even the organisation has no nps" in goal["missing"]


async def test_a_payee_asks_about_a_statement_and_finance_reads_it(office: Office) -> None:
    await _calculated(office)
    question = {"period": "2026Q1", "employee": "m1", "text": "Why is job-1001 not mine?"}
    asked = await office.employee("m1").post("/v1/inquiries", json=question)
    assert asked.status_code == 201
    assert (await office.employee("m2").post("/v1/inquiries", json=question)).status_code == 404
    assert [one["id"] for one in (await office.finance.get("/v1/inquiries")).json()["items"]] == [
        asked.json()["id"]
    ]
    assert (await office.employee("m2").get("/v1/inquiries")).json()["items"] == []
