"""Goals and results for the HR system."""

import csv
import io

import pytest

from .aggregator import Aggregator, figure
from .office import Office

CSV, JSON = "/v1/goals/export.csv", "/v1/goals/export.json"


async def test_one_line_a_payee_period_and_goal(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await office.open_period("2026Q2", "2026-04-01", "2026-07-01")
    await office.approve(await office.calculate())
    answer = await office.finance.get(CSV)
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["period"], line["employee"], line["goal"]) for line in lines] == [
        (period, employee, goal)
        for period in ("2026Q1", "2026Q2")
        for employee in ("m1", "m2")
        for goal in ("own", "unit")
    ]
    own, open_line = lines[0], lines[4]
    assert (own["status"], own["value"], own["multiple"], own["payout_minor"]) == (
        "approved",
        "45",
        "1.125",
        "67500",
    )
    assert (own["from"], own["to"], own["target"], own["reliability"]) == (
        "2026-01-01",
        "2026-04-01",
        "40",
        "0.5",
    )
    assert (open_line["status"], open_line["weight"], open_line["value"], open_line["run"]) == (
        "open",
        "0.6",
        "",
        "",
    )


async def test_the_same_as_json_in_pages_of_payees(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await office.approve(await office.calculate())
    first = (await office.admin.get(JSON, params={"limit": 1})).json()
    assert [(line["employee"], line["goal"]) for line in first["items"]] == [("m1", "own"), ("m1", "unit")]
    second = (await office.admin.get(JSON, params={"limit": 1, "cursor": first["next"]})).json()
    assert {line["employee"] for line in second["items"]} == {"m2"}
    last = (await office.admin.get(JSON, params={"limit": 1, "cursor": second["next"]})).json()
    assert (last["items"], last["next"]) == ([], None)
    assert (await office.admin.get(JSON, params={"period": "none"})).json()["items"] == []


async def test_a_formula_stays_text_and_a_negative_score_a_number(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.figures.append(figure("employee:-m1", -12.5))
    await office.publish(payees=[{"employee": "-m1", "target_bonus_minor": 100}])
    await office.open_period()
    await office.approve(await office.calculate())
    (own, _) = csv.DictReader(io.StringIO((await office.admin.get(CSV)).text))
    assert (own["employee"], own["value"]) == ("'-m1", "-12.5")


@pytest.mark.parametrize("role", ["employee", "manager", "analyst", "ops", "works_council", "service"])
async def test_the_export_is_for_those_who_pay(office: Office, role: str) -> None:
    for path in (CSV, JSON):
        assert (await office.box.http(role, employee_id="m1").get(path)).status_code == 403
