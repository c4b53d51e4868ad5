"""Everybody who answered: the rules for any feedback, the playbooks, the share that was followed up in time."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.integration.closed_loop.world import SUPPLY, answer, cases, do, only_case

from closed_loop.timers import fire_due
from fairloop.events import AttributionResult, Scores
from fairloop.testing import Box

PROMOTER_RULE = {
    "when": [{"field": "nps", "op": ">=", "value": 9}],
    "track": "promoter",
    "required_documentation": ["result"],
}


def given(number: int, *, comment: bool = False, ratings: dict[str, int] | None = None, **scores: int) -> Any:
    """An answer with these scores and ratings of attributes."""
    event: AttributionResult = answer(number, None)
    facts = msgspec.structs.replace(
        event.response, scores=Scores(**scores), ratings=ratings or {}, has_comment=comment
    )
    return msgspec.structs.replace(event, response=facts)


async def put_rule(box: Box, id: str, **rule: Any) -> None:
    answered = await box.http("admin").put(f"/v1/alert-rules/{id}", json=rule)
    assert answered.status_code == 200, answered.text


async def follow_up(box: Box, query: str = "") -> dict[str, Any]:
    answered = await box.http("admin").get(f"/v1/reports/follow-up{query}")
    assert answered.status_code == 200, answered.text
    report: dict[str, Any] = answered.json()
    return report


async def test_any_feedback_can_raise_an_alert(staffed: Box) -> None:
    await put_rule(staffed, "csat", when=[{"field": "csat", "op": "<=", "value": 2}], track="detractor")
    await put_rule(staffed, "ces", when=[{"field": "ces", "op": ">=", "value": 6}], track="passive")
    low = [{"field": "nps", "op": ">=", "value": 7}, {"field": "rating", "op": "<=", "value": 2}]
    await put_rule(staffed, "one-low", when=low, track="passive")
    silent = [
        {"field": "has_score", "op": "==", "value": False},
        {"field": "has_comment", "op": "==", "value": True},
    ]
    await put_rule(staffed, "complaint", when=silent, track="detractor")
    await staffed.deliver(
        [
            given(1, csat=2),
            given(2, ces=6),
            given(3, nps=9, ratings={"speed": 5, "hygiene": 1}),
            given(4, comment=True),
            given(5, nps=9, csat=5, ces=1, ratings={"hygiene": 5}, comment=True),
            given(6),
        ]
    )
    found = {case["alert_rule"]: case["track"] for case in await cases(staffed)}
    assert found == {"csat": "detractor", "ces": "passive", "one-low": "passive", "complaint": "detractor"}


async def test_each_track_has_its_playbook_from_the_start(staffed: Box) -> None:
    listed = (await staffed.http("works_council").get("/v1/playbooks")).json()["items"]
    outcomes = {one["track"]: {outcome["id"] for outcome in one["outcomes"]} for one in listed}
    assert {"recovered", "churn_risk"} <= outcomes["detractor"]
    assert {"suggestion"} <= outcomes["passive"]
    assert {"upsell", "testimonial", "reference", "advisory_board"} <= outcomes["promoter"]
    await staffed.deliver([answer()])
    case = await only_case(staffed)
    assert case["playbook"]["outcomes"] == next(o["outcomes"] for o in listed if o["track"] == "detractor")


async def test_what_came_of_a_case_is_one_of_its_tracks_outcomes(staffed: Box) -> None:
    await put_rule(staffed, "promoters", **PROMOTER_RULE)
    await staffed.deliver([answer(1, 10)])
    case = await do(staffed, await only_case(staffed), "contact", method="phone")
    admin = staffed.http("admin")
    for body, pointer in (({}, "/body/result"), ({"result": "recovered"}, "/body/result")):
        refused = await admin.post(f"/v1/cases/{case['id']}/resolve", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert "advisory_board" in refused.json()["detail"]
    assert (await do(staffed, case, "resolve", result="reference"))["result"] == "reference"
    assert [one["id"] for one in await cases(staffed, track="promoter", result="reference")] == [case["id"]]
    assert (await follow_up(staffed))["results"] == [{"track": "promoter", "result": "reference", "cases": 1}]


async def test_a_changed_playbook_counts_at_once(staffed: Box) -> None:
    body = {"text": "Call.", "steps": ["Call."], "outcomes": [{"id": "calm", "meaning": "Calm again."}]}
    put = await staffed.http("ops").put("/v1/playbooks/detractor", json=body)
    assert (put.status_code, put.json()["version"]) == (200, 2)
    await staffed.deliver([answer()])
    case = await do(staffed, await only_case(staffed), "acknowledge")
    written = {"root_cause": "x", "promised": "x", "outcome": "x"}
    assert (await do(staffed, case, "resolve", result="calm", **written))["result"] == "calm"


@pytest.mark.parametrize(
    ("track", "change"),
    [
        ("detractor", {"outcomes": []}),
        ("detractor", {"outcomes": [{"id": "a", "meaning": "x"}, {"id": "a", "meaning": "y"}]}),
        ("neutral", {}),
    ],
)
async def test_a_playbook_without_outcomes_or_of_no_track_is_refused(
    staffed: Box, track: str, change: dict[str, Any]
) -> None:
    body = {"text": "Call.", "outcomes": [{"id": "calm", "meaning": "Calm again."}], **change}
    assert (await staffed.http("admin").put(f"/v1/playbooks/{track}", json=body)).status_code == 422


async def test_the_share_followed_up_in_time_is_of_everybody_who_answered(staffed: Box) -> None:
    await put_rule(staffed, "promoters", **PROMOTER_RULE)
    await staffed.deliver(
        [answer(1, 3), answer(2, 4, entry=SUPPLY), answer(3, 10), answer(4, 8), answer(5, 2)]
    )
    by_response = {case["response_id"]: case for case in await cases(staffed)}
    for number in (1, 3):
        await do(staffed, by_response[str(answer(number).response_id)], "contact", method="phone")
    staffed.clock.advance(timedelta(hours=9))
    await fire_due(staffed.db, staffed.clock)
    await staffed.deliver([answer(6, 0), answer(5, 2, version=2, erased=True)])
    report = await follow_up(staffed)
    total = report["total"]
    assert [
        total[name] for name in ("respondents", "pending", "in_time", "late", "without_case", "n", "share")
    ] == [5, 1, 2, 1, 1, 4, "0.500000"]
    assert total["ci95"] == ["0.150036", "0.849964"]
    assert {one["track"]: (one["in_time"], one["n"]) for one in report["by_track"]} == {
        "detractor": (1, 2),
        "passive": (0, 1),
        "promoter": (1, 1),
    }
    assert {one["org_unit"]: (one["in_time"], one["n"]) for one in report["by_org_unit"]} == {
        "north": (2, 3),
        "supply": (0, 1),
    }
    assert {
        (one["track"], one["org_unit"]): one["respondents"] for one in report["by_track_and_org_unit"]
    } == {
        ("detractor", "north"): 2,
        ("detractor", "supply"): 1,
        ("passive", "north"): 1,
        ("promoter", "north"): 1,
    }


async def test_a_report_of_another_time_or_unit_counts_others(staffed: Box) -> None:
    await staffed.deliver([answer(1, 3), answer(2, 4, entry=SUPPLY)])
    assert (await follow_up(staffed, "?from=2026-02-01&to=2026-03-02"))["total"]["respondents"] == 0
    assert (await follow_up(staffed, "?org_unit=supply"))["total"]["respondents"] == 1
    north = staffed.http("manager", employee_id="bea", org_units=["north"])
    assert (await north.get("/v1/reports/follow-up")).json()["total"]["respondents"] == 1
    assert (await north.get("/v1/reports/follow-up?org_unit=supply")).status_code == 404
    backwards = await north.get("/v1/reports/follow-up?from=2026-03-03&to=2026-03-03")
    assert (backwards.status_code, backwards.json()["errors"][0]["pointer"]) == (422, "/query/from")
