"""What people do to cases, and who may."""

from typing import Any

import pytest
from tests.integration.closed_loop.world import SUPPLY, answer, cases, do, only_case

from fairloop.events import ClosedLoopCase
from fairloop.testing import Box

DOCUMENTED = {"root_cause": "wrong window", "promised": "a new one", "outcome": "replaced"}


@pytest.fixture
async def case(staffed: Box) -> dict[str, Any]:
    await staffed.deliver([answer()])
    return await only_case(staffed)


async def test_a_case_goes_from_assigned_to_closed(staffed: Box, case: dict[str, Any]) -> None:
    assert (await do(staffed, case, "acknowledge"))["status"] == "acknowledged"
    assert (await do(staffed, case, "contact", method="phone", note="called"))["status"] == "contacted"
    assert (await do(staffed, case, "resolve", **DOCUMENTED))["status"] == "resolved"
    closed = await do(staffed, case, "close")
    assert (closed["status"], closed["version"]) == ("closed", 5)
    assert {clock["state"] for clock in closed["clocks"]} == {"met"}
    detail = await only_case(staffed)
    assert detail["documentation"] == DOCUMENTED
    assert [one["kind"] for one in detail["history"]] == [
        "opened",
        "acknowledged",
        "contacted",
        "resolved",
        "closed",
    ]
    events = await staffed.published(ClosedLoopCase)
    assert [(event.version, event.status) for event in events] == [
        (1, "assigned"),
        (2, "acknowledged"),
        (3, "contacted"),
        (4, "resolved"),
        (5, "closed"),
    ]


async def test_resolving_points_at_the_documentation_that_is_missing(
    staffed: Box, case: dict[str, Any]
) -> None:
    await do(staffed, case, "acknowledge")
    refused = await staffed.http("admin").post(
        f"/v1/cases/{case['id']}/resolve", json={"root_cause": "x", "promised": " "}
    )
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/promised", "/body/outcome"]
    assert (await only_case(staffed))["status"] == "acknowledged"


async def test_a_verb_that_does_not_fit_is_refused_with_those_that_do(
    staffed: Box, case: dict[str, Any]
) -> None:
    refused = await staffed.http("admin").post(f"/v1/cases/{case['id']}/close")
    assert refused.status_code == 409
    assert "acknowledge, contact, reassign, note, pause, escalate" in refused.json()["detail"]
    assert case["allowed"] == ["acknowledge", "contact", "reassign", "note", "pause", "escalate"]


async def test_a_command_sent_twice_with_its_key_counts_once(staffed: Box, case: dict[str, Any]) -> None:
    client = staffed.http("admin")
    for _ in range(2):
        answered = await client.post(
            f"/v1/cases/{case['id']}/acknowledge", headers={"Idempotency-Key": "once"}
        )
        assert (answered.status_code, answered.json()["version"]) == (200, 2)


async def test_reassigning_needs_somebody_who_exists(staffed: Box, case: dict[str, Any]) -> None:
    refused = await staffed.http("admin").post(f"/v1/cases/{case['id']}/reassign", json={"owner": "nobody"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/owner"
    assert (await do(staffed, case, "reassign", owner="sam"))["owner"] == "sam"
    assert [item["id"] for item in await cases(staffed, owner="sam")] == [case["id"]]
    assert (await do(staffed, case, "reassign", owner="org_unit:supply"))["status"] == "new"


async def test_reopening_starts_new_clocks(staffed: Box, case: dict[str, Any]) -> None:
    await do(staffed, case, "acknowledge")
    await do(staffed, case, "resolve", **DOCUMENTED)
    reopened = await do(staffed, case, "reopen")
    assert reopened["status"] == "acknowledged"
    assert [clock["state"] for clock in reopened["clocks"]] == ["met", "running", "running"]


async def test_escalating_by_hand_goes_to_the_owners_manager(staffed: Box, case: dict[str, Any]) -> None:
    assert (await do(staffed, case, "escalate"))["escalated_to"] == "boss"
    again = await staffed.http("admin").post(f"/v1/cases/{case['id']}/escalate")
    assert again.status_code == 409


READERS: list[tuple[str, str | None, list[str], set[str]]] = [
    ("admin", None, [], {"north", "supply"}),
    ("ops", None, [], {"north", "supply"}),
    ("analyst", None, [], {"north", "supply"}),
    ("works_council", None, [], {"north", "supply"}),
    ("manager", "x", ["glass"], {"north", "supply"}),
    ("manager", "x", ["north"], {"north"}),
    ("manager", "sam", ["north"], {"north", "supply"}),
    ("manager", "boss", [], {"north", "supply"}),
    ("employee", "bea", ["supply"], {"north"}),
    ("employee", "m1", ["north"], set()),
]


async def test_everybody_sees_the_cases_that_concern_them(staffed: Box) -> None:
    await staffed.deliver([answer(1), answer(2, entry=SUPPLY)])
    everything = {item["org_unit"]: item["id"] for item in await cases(staffed)}
    for role, employee_id, org_units, expected in READERS:
        client = staffed.http(role, employee_id=employee_id, org_units=org_units)
        seen = {item["org_unit"] for item in (await client.get("/v1/cases")).json()["items"]}
        assert seen == expected, role
        for unit, id in everything.items():
            assert (await client.get(f"/v1/cases/{id}")).status_code == (200 if unit in expected else 404)


async def test_another_persons_case_cannot_be_acted_on(staffed: Box, case: dict[str, Any]) -> None:
    stranger = staffed.http("employee", employee_id="sam")
    assert (await stranger.post(f"/v1/cases/{case['id']}/acknowledge")).status_code == 404
    owner = staffed.http("employee", employee_id="bea")
    assert (await owner.post(f"/v1/cases/{case['id']}/acknowledge")).status_code == 200
    for reader in ("analyst", "works_council", "finance"):
        refused = await staffed.http(reader).post(f"/v1/cases/{case['id']}/note", json={"text": "x"})
        assert refused.status_code == 403


async def test_the_works_council_reads_no_texts(staffed: Box, case: dict[str, Any]) -> None:
    await do(staffed, case, "contact", method="phone", note="something private")
    await do(staffed, case, "resolve", **DOCUMENTED)
    seen = await staffed.http("works_council").get(f"/v1/cases/{case['id']}")
    assert seen.status_code == 200
    assert "private" not in seen.text
    assert "wrong window" not in seen.text
    assert seen.json()["documentation"] is None


async def test_cases_are_found_by_status_and_unit(staffed: Box, case: dict[str, Any]) -> None:
    assert len(await cases(staffed, status="assigned", org_unit="north")) == 1
    assert len(await cases(staffed, org_unit="glass")) == 1
    assert await cases(staffed, org_unit="supply") == []
    assert await cases(staffed, status="closed") == []
    assert await cases(staffed, breached="true") == []
    wrong = await staffed.http("admin").get("/v1/cases?status=lost")
    assert wrong.status_code == 422


async def test_lists_go_on_where_the_page_ended(staffed: Box) -> None:
    await staffed.deliver([answer(number) for number in range(1, 4)])
    client = staffed.http("admin")
    first = (await client.get("/v1/cases?limit=2")).json()
    second = (await client.get("/v1/cases", params={"limit": 2, "cursor": first["next"]})).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)
    assert len({item["id"] for item in (*first["items"], *second["items"])}) == 3
