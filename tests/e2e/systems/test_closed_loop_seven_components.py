"""Alert, owner, watchers, time frame, method, documentation, oversight; and escalation when nobody acts."""

import asyncio
from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.followed_company import FollowedCompany

pytestmark = pytest.mark.timeout(240)
SECOND = 1 / 60
"""In business minutes."""


async def test_an_alert_gets_all_seven_components_and_each_of_them_acts(installation: Installation) -> None:
    company = FollowedCompany(installation)
    await company.open()
    await company.put(
        "closed-loop",
        "sla-policies",
        "calm",
        {
            "calendar": company.name("always"),
            "target_minutes": {"acknowledge": 60, "contact": 120, "resolve": 600},
        },
    )
    documents = ["root_cause", "result"]
    shared = {
        "watchers": [company.name("mila")],
        "method": "phone",
        "required_documentation": documents,
        "sla_policy": company.name("calm"),
        "oversight_owner": company.name("boss"),
    }
    await company.rule("dispatch", ("nps", "==", 1), route="dispatch", **shared)
    await company.rule("visit", ("nps", "==", 3), route="transactional", **shared)
    account = ("connection", "==", company.name("accounts"))
    await company.rule("account", account, ("nps", "<=", 6), route="relationship", **shared)

    dispatched = await company.case(await company.said("a", {"scores": {"nps": 1}}), "dispatch")
    visited = await company.case(await company.said("b", {"scores": {"nps": 3}}), "visit")
    key = {"scores": {"nps": 4}, "customer": {"ref": company.name("key")}}
    looked_after = await company.case(await company.said("c", key, of="accounts"), "account")
    assert [case["owner"] for case in (dispatched, visited, looked_after)] == [
        company.name("mo"),
        company.name("bea"),
        company.name("mo"),
    ]
    assert "who work first" in dispatched["owner_reason"]
    assert visited["owner_reason"] == f"manager of {company.name('mila')}, who took part"
    assert looked_after["owner_reason"] == "account owner of the customer"
    assert {clock["kind"] for clock in visited["clocks"]} == {"acknowledge", "contact", "resolve"}

    mila = "employee mila"
    assert (await company.ask("closed-loop", "GET", f"/v1/cases/{visited['id']}", by=mila))["notes"] == []
    path = f"/v1/cases/{visited['id']}"
    await company.refused(403, "closed-loop", "POST", f"{path}/note", {"text": "hello"}, by=mila)

    bea = "manager bea north"
    paused = await company.do(visited, "pause", {"reason": "on holiday"}, by=bea)
    assert {(clock["state"], clock["due_at"]) for clock in paused["clocks"]} == {("paused", None)}
    resumed = await company.do(visited, "resume", by=bea)
    assert {clock["state"] for clock in resumed["clocks"]} == {"running"}
    before = {clock["kind"]: clock["due_at"] for clock in visited["clocks"]}
    assert all(clock["due_at"] > before[clock["kind"]] for clock in resumed["clocks"])

    letter = await company.do(visited, "contact", {"method": "letter"}, by=bea)
    assert letter["contacted_as_planned"] is False
    assert (await company.do(visited, "contact", {"method": "phone"}, by=bea))["contacted_as_planned"]
    unsaid = {"root_cause": " "}
    refused = await company.refused(422, "closed-loop", "POST", f"{path}/resolve", unsaid, by=bea)
    assert [error["pointer"] for error in refused["errors"]] == ["/body/root_cause", "/body/result"]
    settled = {"root_cause": "late", "result": "recovered"}
    done = await company.do(visited, "resolve", settled, by=bea)
    assert {clock["state"] for clock in done["clocks"]} == {"met"}
    assert await company.told("mila", visited["id"]) == ["fyi", "fyi_resolved"]

    boss = "manager boss all"
    path = f"/v1/oversight/ageing?oversight_owner={company.name('boss')}&alert_rule="
    view = await company.ask("closed-loop", "GET", path + company.name("dispatch"), by=boss)
    assert (view["total"]["open"], view["total"]["unattended"], view["total"]["oldest_days"]) == (1, 1, 0)
    assert [(one["days"], one["open"]) for one in view["by_age"]] == [("0-1", 1)]
    assert [(one["owner"], one["open"]) for one in view["by_owner"]] == [(company.name("mo"), 1)]


async def test_when_nobody_acts_the_case_goes_up_and_up_once(installation: Installation) -> None:
    company = FollowedCompany(installation)
    await company.open()
    targets = {"acknowledge": SECOND, "contact": 2 * SECOND, "resolve": 600}
    quick = {"calendar": company.name("always"), "target_minutes": targets}
    await company.put("closed-loop", "sla-policies", "quick", quick)
    await company.rule(
        "burning",
        ("nps", "==", 0),
        route="dispatch",
        watchers=[company.name("mila")],
        sla_policy=company.name("quick"),
        oversight_owner=company.name("boss"),
    )
    case = await company.case(await company.said("a", {"scores": {"nps": 0}}), "burning")

    async def breached_twice() -> dict[str, Any] | None:
        found = await company.ask("closed-loop", "GET", f"/v1/cases/{case['id']}")
        states = [clock["state"] for clock in found["clocks"]]
        return found if states.count("breached") == 2 else None

    found = await company.until(breached_twice)
    assert (found["owner"], found["escalated_to"]) == (company.name("mo"), company.name("bea"))
    who = [company.name(name) for name in ("mo", "bea", "boss", "mila")]
    told = await asyncio.gather(*(company.told(name, case["id"]) for name in ("bea", "boss", "mila")))
    assert told == [["escalation"], ["unattended"], ["fyi", "fyi_escalated"]]
    assert {one["recipient"] for one in found["notifications"]} == set(who)
    assert [one["kind"] for one in found["history"]].count("escalated") == 1
    bea = "manager bea"
    assert (await company.do(case, "acknowledge", by=bea))["status"] == "acknowledged"
