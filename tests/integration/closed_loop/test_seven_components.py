"""What a case is made of, and that each part acts: working hours, watchers, method, documentation, oversight."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.closed_loop.world import SUPPLY, answer, cases, do, only_case

from closed_loop.timers import fire_due
from fairloop.events import Employee
from fairloop.testing import Box

RULE: dict[str, Any] = {
    "when": [{"field": "nps", "op": "<=", "value": 6}],
    "route": "dispatch",
    "watchers": ["sam"],
    "method": "phone",
    "required_documentation": ["root_cause", "result"],
    "oversight_owner": "boss",
}


@pytest.fixture
async def ruled(staffed: Box) -> Box:
    assert (await staffed.http("admin").put("/v1/alert-rules/default", json=RULE)).status_code == 200
    return staffed


async def told(box: Box, recipient: str) -> list[str]:
    """The kinds of notification somebody has, oldest first."""
    answered = await box.http("admin").get(f"/v1/notifications?recipient={recipient}")
    return [one["kind"] for one in reversed(answered.json()["items"])]


async def test_dispatch_goes_to_who_is_at_work(ruled: Box) -> None:
    late = {"timezone": "UTC", "weekly": {"mon": [["12:00", "20:00"]]}}
    assert (await ruled.http("admin").put("/v1/calendars/late", json=late)).status_code == 200
    await ruled.deliver([Employee(version=2, employee="bea", manager="boss", calendar="late")])
    await ruled.deliver([answer(1), answer(2)])
    assert {case["owner"] for case in await cases(ruled)} == {"m1"}
    ruled.clock.now = datetime(2026, 3, 2, 18, tzinfo=UTC)
    await ruled.deliver([answer(3), answer(4)])
    assert sorted(case["owner"] for case in await cases(ruled)) == ["bea", "bea", "m1", "m1"]


async def test_when_the_owner_leaves_dispatch_looks_at_the_hours_again(ruled: Box) -> None:
    await ruled.deliver([answer()])
    assert (await only_case(ruled))["owner"] == "bea"
    early = {"timezone": "UTC", "weekly": {"mon": [["06:00", "08:00"]]}}
    assert (await ruled.http("admin").put("/v1/calendars/early", json=early)).status_code == 200
    await ruled.deliver([Employee(version=2, employee="m1", manager="bea", calendar="early")])
    await ruled.deliver([Employee(version=2, employee="bea", manager="boss", active=False)])
    assert (await only_case(ruled))["owner"] == "m1"


async def test_a_watcher_is_informed_and_no_more(ruled: Box) -> None:
    await ruled.deliver([answer()])
    case = await do(ruled, await only_case(ruled), "contact", method="phone", note="Ms Secret was angry")
    sam = ruled.http("employee", employee_id="sam")
    assert [one["id"] for one in (await sam.get("/v1/cases")).json()["items"]] == [case["id"]]
    shown = (await sam.get(f"/v1/cases/{case['id']}")).json()
    assert ([note["text"] for note in shown["notes"]], shown["documentation"]) == ([None], None)
    refused = await sam.post(f"/v1/cases/{case['id']}/note", json={"text": "hello"})
    assert (refused.status_code, "watcher" in refused.json()["detail"]) == (403, True)
    await do(ruled, case, "escalate")
    await do(ruled, case, "resolve", root_cause="x", result="recovered")
    assert await told(ruled, "sam") == ["fyi", "fyi_escalated", "fyi_resolved"]


async def test_another_method_than_planned_shows_until_the_planned_one(ruled: Box) -> None:
    await ruled.deliver([answer()])
    case = await only_case(ruled)
    assert (case["method"], case["contacted_as_planned"]) == ("phone", None)
    case = await do(ruled, case, "contact", method="letter")
    assert case["contacted_as_planned"] is False
    case = await do(ruled, case, "contact", method="Phone")
    assert case["contacted_as_planned"] is True
    case = await do(ruled, case, "contact", method="letter")
    assert case["contacted_as_planned"] is True
    history = (await only_case(ruled))["history"]
    assert [one["data"] for one in history if one["kind"] == "contacted"] == [
        {"as_planned": False},
        {"as_planned": True},
        {"as_planned": False},
    ]


async def test_when_still_nobody_acts_after_the_escalation_the_oversight_owner_is_told(ruled: Box) -> None:
    rule = RULE | {"oversight_owner": "quality"}
    await ruled.http("admin").put("/v1/alert-rules/default", json=rule)
    await ruled.deliver([answer()])
    ruled.clock.advance(timedelta(hours=4))
    await fire_due(ruled.db, ruled.clock)
    assert (await told(ruled, "boss"), await told(ruled, "quality")) == (["escalation"], [])
    ruled.clock.advance(timedelta(hours=4))
    await fire_due(ruled.db, ruled.clock)
    assert await told(ruled, "quality") == ["unattended"]
    await fire_due(ruled.db, ruled.clock)
    assert await told(ruled, "quality") == ["unattended"]


async def ageing(box: Box, query: str = "", role: str = "admin", **who: Any) -> dict[str, Any]:
    answered = await box.http(role, **who).get(f"/v1/oversight/ageing{query}")
    assert answered.status_code == 200, answered.text
    view: dict[str, Any] = answered.json()
    return view


async def test_oversight_sees_what_is_open_by_age_owner_unit_and_track(staffed: Box) -> None:
    await staffed.deliver([answer(1), answer(2), answer(3)])
    first, second, third = await cases(staffed)
    staffed.clock.advance(timedelta(days=2))
    await fire_due(staffed.db, staffed.clock)
    await staffed.deliver([answer(4, entry=SUPPLY), answer(5, entry=SUPPLY)])
    await do(staffed, first, "acknowledge")
    await do(staffed, second, "pause", reason="x")
    await do(staffed, third, "acknowledge")
    await do(staffed, third, "resolve", root_cause="x", promised="x", outcome="x")
    view = await ageing(staffed)
    assert view["total"] == {
        "open": 4,
        "breached": 2,
        "escalated": 2,
        "unattended": 3,
        "paused": 1,
        "oldest_opened_at": "2026-03-02T09:00:00Z",
        "oldest_days": 2,
    }
    assert [(one["days"], one["open"]) for one in view["by_age"]] == [("0-1", 2), ("1-3", 2)]
    assert {one["owner"]: (one["open"], one["breached"]) for one in view["by_owner"]} == {
        "bea": (2, 2),
        "sam": (2, 0),
    }
    assert {one["org_unit"]: one["unattended"] for one in view["by_org_unit"]} == {"north": 1, "supply": 2}
    assert [(one["track"], one["open"]) for one in view["by_track"]] == [("detractor", 4)]


async def test_the_view_is_narrowed_and_never_shows_more_than_the_cases_one_may_see(staffed: Box) -> None:
    empty = await ageing(staffed)
    assert (empty["total"]["open"], empty["total"]["oldest_days"], empty["by_age"]) == (0, None, [])
    await staffed.deliver([answer(1), answer(2, entry=SUPPLY)])
    for query, expected in (
        ("?org_unit=glass", 2),
        ("?org_unit=supply", 1),
        ("?owner=sam", 1),
        ("?track=promoter", 0),
        ("?alert_rule=default", 2),
        ("?oversight_owner=boss", 2),
        ("?oversight_owner=sam", 0),
    ):
        assert (await ageing(staffed, query))["total"]["open"] == expected, query
    north = await ageing(staffed, role="manager", employee_id="bea", org_units=["north"])
    assert north["total"]["open"] == 1
    assert (await ageing(staffed, role="employee", employee_id="boss"))["total"]["open"] == 2
