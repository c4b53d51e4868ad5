"""From what drives a figure to a plan with its eight fields, reminders, and before and after when it is closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.told_company import ToldCompany

pytestmark = pytest.mark.timeout(240)


async def test_a_plan_is_made_worked_on_reminded_of_and_closed_with_what_changed(
    installation: Installation,
) -> None:
    company = ToldCompany(installation)
    await company.found()
    await company.join()
    today = datetime.now(UTC).date()
    for job in range(8):
        response = await company.answered(f"before-{job}", 2, days_ago=5)
    case = await company.case_of(response)
    await counted(company, today - timedelta(days=30), today, 8)

    path = f"/v1/action-plans/{company.name('quality')}"
    bea = "manager bea north"
    order = {"id": "order", "title": "Order it", "owner": company.name("mo"), "due": str(today)}
    train = {
        "id": "train",
        "title": "Show everybody",
        "owner": company.name("mila"),
        "due": str(today + timedelta(days=14)),
        "depends_on": ["order"],
    }
    plan: dict[str, Any] = {
        "action_item": "Everybody seals windows the same way",
        "objective": "No window leaks",
        "background": "Every detractor of last week names quality",
        "business_impact": {
            "amount_minor": 960_000,
            "currency": "EUR",
            "basis": "40 second visits at 240 euro",
        },
        "obstacles": ["the new sealant is not in stock"],
        "goal": {
            "scope_type": "org_unit",
            "scope_id": company.name("north"),
            "target": "30",
            "by": str(today + timedelta(days=60)),
        },
        "project_plan": {"tasks": [order, train]},
        "stage": "active",
        "owner": company.name("bea"),
        "org_unit": company.name("north"),
        "review_dates": [str(today), str(today + timedelta(days=30))],
        "causes": ["quality"],
        "cases": [case["id"]],
    }
    for changed, pointer in (
        ({"causes": ["weather"]}, "/body/causes/0"),
        (
            {"project_plan": {"tasks": [order | {"depends_on": ["train"]}, train]}},
            "/body/project_plan/tasks/0/due",
        ),
        ({"owner": company.name("nobody")}, "/body/owner"),
        ({"stage": "closed"}, "/body/stage"),
    ):
        refused = await company.refused(422, "closed-loop", "PUT", path, plan | changed, by=bea)
        assert pointer in {error["pointer"] for error in refused["errors"]}
    await company.refused(404, "closed-loop", "GET", path, by=bea)

    made = await company.ask("closed-loop", "PUT", path, plan, by=bea)
    frozen = made["analytics"]
    assert (frozen["figure"]["n"], frozen["figure"]["value"]) == (8, -100.0)
    assert [one["cause"] for one in frozen["causes"]] == ["quality"]
    assert made["open_tasks"] == ["order"]

    async def reminded() -> bool:
        found = await company.ask("closed-loop", "GET", path, by=bea)
        fired = [(one["kind"], one["subject"]) for one in found["reminders"] if one["state"] == "fired"]
        return fired == [("review", ""), ("task", "order")]

    await company.until(reminded)
    mo = "employee mo"
    assert await told(company, bea) == ["action_plan_review"]
    assert await told(company, mo) == ["action_plan_task", "action_plan_task_due"]
    assert (await company.ask("closed-loop", "GET", path, by=mo))["id"] == company.name("quality")

    for job in range(9):
        await company.answered(f"after-{job}", 10)
    await counted(company, today, today + timedelta(days=2), 9)
    tasks = [order | {"done": True}, train | {"done": True}]
    ended = plan | {"stage": "closed", "project_plan": {"tasks": tasks}}
    refused = await company.refused(422, "closed-loop", "PUT", path, ended, by=bea)
    assert [error["pointer"] for error in refused["errors"]] == ["/body/result"]
    ended["result"] = "Nobody came back because of a leak"
    closed = await company.ask("closed-loop", "PUT", path, ended, by=bea)
    found = closed["comparison"]
    assert (found["before"]["value"], found["after"]["value"], found["difference"]) == (-100.0, 100.0, 200.0)
    assert found["ci95"][0] > 0
    assert (found["goal_reached"], "not a proof" in found["caveat"]) == (True, True)
    assert closed["analytics"] == frozen
    assert [one["state"] for one in closed["reminders"]].count("fired") == 2
    assert await told(company, bea) == ["action_plan_review"]
    linked = f"/v1/action-plans?case={case['id']}&cause=quality&stage=closed"
    listed = await company.ask("closed-loop", "GET", linked, by=bea)
    assert [one["id"] for one in listed["items"]] == [company.name("quality")]


async def told(company: ToldCompany, by: str) -> list[str]:
    """What somebody was told about action plans, oldest first."""
    items = (await company.ask("closed-loop", "GET", "/v1/notifications?limit=500", by=by))["items"]
    return [one["kind"] for one in reversed(items) if one["about"]["type"] == "action_plan"]


async def counted(company: ToldCompany, start: object, end: object, n: int) -> None:
    """The figures have so many answers of these days."""
    path = f"/v1/kpis/nps/org_unit/{company.name('north')}?from={start}&to={end}"
    await company.shows("kpi-aggregator", path, n=n)
