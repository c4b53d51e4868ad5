"""Rules, policies and calendars over HTTP."""

from typing import Any

import pytest
from tests.integration.closed_loop.world import answer, cases, only_case

from fairloop.testing import Box

RULE = {"when": [{"field": "nps", "op": "<=", "value": 6}]}
POLICY = {"calendar": "default", "target_minutes": {"acknowledge": 60, "contact": 120, "resolve": 240}}
CALENDAR = {"timezone": "Europe/Amsterdam", "weekly": {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}}


@pytest.mark.parametrize("kind", ["alert-rules", "sla-policies", "calendars"])
async def test_a_default_exists_from_the_start(box: Box, kind: str) -> None:
    client = box.http("admin")
    default = (await client.get(f"/v1/{kind}/default")).json()
    assert (default["id"], default["version"]) == ("default", 1)
    assert (await client.get(f"/v1/{kind}")).json()["items"] == [default]
    again = {key: value for key, value in default.items() if key not in {"id", "version"}}
    assert (await client.put(f"/v1/{kind}/default", json=again)).json() == default


@pytest.mark.parametrize(
    ("kind", "body"), [("alert-rules", RULE), ("sla-policies", POLICY), ("calendars", CALENDAR)]
)
async def test_a_change_is_a_new_version_and_the_same_again_is_not(
    box: Box, kind: str, body: dict[str, Any]
) -> None:
    client = box.http("admin")
    for _ in range(2):
        put = await client.put(f"/v1/{kind}/mine", json=body)
        assert (put.status_code, put.json()["version"]) == (200, 1)
    put = await client.put(f"/v1/{kind}/default", json=body)
    assert put.json()["version"] == 2
    assert (await client.get(f"/v1/{kind}/default")).json() == put.json()
    assert (await client.get(f"/v1/{kind}/unknown")).status_code == 404
    assert (await box.http("manager").put(f"/v1/{kind}/mine", json=body)).status_code == 403
    assert (await box.http("works_council").get(f"/v1/{kind}")).status_code == 200


NONSENSE: list[tuple[str, dict[str, Any], str]] = [
    ("alert-rules/x", {"when": []}, "/body/when"),
    ("alert-rules/x", {"when": [{"field": "shoe_size", "op": "<=", "value": 6}]}, "/body/when/0/field"),
    ("alert-rules/x", {"when": [{"field": "nps", "op": "<=", "value": "six"}]}, "/body/when/0"),
    ("alert-rules/x", {"when": [{"field": "nps", "op": "in", "value": 6}]}, "/body/when/0"),
    ("alert-rules/x", {**RULE, "sla_policy": "unknown"}, "/body/sla_policy"),
    (
        "alert-rules/x",
        {**RULE, "required_documentation": ["horoscope"]},
        "/body/required_documentation/0",
    ),
    ("alert-rules/x", {**RULE, "surprise": 1}, "/body/surprise"),
    ("sla-policies/x", {**POLICY, "calendar": "unknown"}, "/body/calendar"),
    ("sla-policies/x", {**POLICY, "warn_at": "1.5"}, "/body/warn_at"),
    (
        "sla-policies/x",
        {**POLICY, "target_minutes": {"acknowledge": 0}},
        "/body/target_minutes/acknowledge",
    ),
    ("calendars/x", {**CALENDAR, "timezone": "Europe/Atlantis"}, "/body"),
    ("calendars/x", {**CALENDAR, "timezone": "../etc/passwd"}, "/body"),
    ("calendars/x", {**CALENDAR, "weekly": {"mon": [["17:00", "09:00"]]}}, "/body"),
    ("calendars/x", {**CALENDAR, "weekly": {}}, "/body"),
    ("calendars/x", {**CALENDAR, "holidays": ["2026-13-01"]}, "/body/holidays/0"),
]


async def test_what_makes_no_sense_is_refused_with_a_pointer(box: Box) -> None:
    client = box.http("admin")
    for path, body, pointer in NONSENSE:
        refused = await client.put(f"/v1/{path}", json=body)
        assert refused.status_code == 422, (body, refused.text)
        assert any(error["pointer"].startswith(pointer) for error in refused.json()["errors"]), refused.text


async def test_a_rule_may_look_at_ratings_segments_and_causes(staffed: Box) -> None:
    await staffed.http("admin").put(
        "/v1/alert-rules/quality",
        json={
            "when": [{"field": "cause", "op": "==", "value": "quality"}],
            "track": "passive",
            "watchers": ["desk"],
            "oversight_owner": "sam",
            "required_documentation": [],
        },
    )
    await staffed.deliver([answer(1, 8)])
    case = await only_case(staffed)
    assert (case["alert_rule"], case["track"], case["oversight_owner"]) == ("quality", "passive", "sam")
    assert [(note["recipient"], note["kind"]) for note in case["notifications"]] == [
        ("bea", "assigned"),
        ("desk", "fyi"),
    ]


async def test_open_cases_keep_the_policy_and_calendar_they_began_with(staffed: Box) -> None:
    await staffed.deliver([answer(1)])
    (before,) = await cases(staffed)
    client = staffed.http("admin")
    await client.put("/v1/sla-policies/default", json=POLICY)
    await client.put("/v1/calendars/default", json=CALENDAR)
    assert await cases(staffed) == [before]
    await client.post(f"/v1/cases/{before['id']}/pause", json={"reason": "x"})
    resumed = (await client.post(f"/v1/cases/{before['id']}/resume")).json()
    assert resumed["clocks"][0]["due_at"] == before["clocks"][0]["due_at"]
    await staffed.deliver([answer(2)])
    after = (await cases(staffed))[-1]
    versions = {item["response_id"]: item["calendar_version"] for item in await cases(staffed)}
    assert sorted(versions.values()) == [1, 2]
    assert after["sla_policy"] == "default"
