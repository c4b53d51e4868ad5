"""Everybody who answers is heard: all tracks, any feedback, and the share that was heard in time."""

from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.followed_company import FollowedCompany

pytestmark = pytest.mark.timeout(240)


NPS_RULE = "default"
"""NPS 0–6, there from the start."""


async def test_everybody_who_answers_is_followed_up_on_a_track_of_their_own(
    installation: Installation,
) -> None:
    company = FollowedCompany(installation)
    await company.open()
    needed = {"required_documentation": ["result"]}
    await company.rule("quiet", ("nps", ">=", 7), ("nps", "<=", 8), track="passive", **needed)
    await company.rule("happy", ("nps", ">=", 9), track="promoter", **needed)
    await company.rule("csat", ("csat", "<=", 2), track="detractor", **needed)
    await company.rule("effort", ("ces", ">=", 6), track="passive", **needed)
    await company.rule("but", ("nps", ">=", 9), ("rating", "<=", 2), track="passive", **needed)
    silent = (("has_score", "==", False), ("has_comment", "==", True))
    await company.rule("complaint", *silent, track="detractor", **needed)

    playbooks = (await company.ask("closed-loop", "GET", "/v1/playbooks"))["items"]
    outcomes = {one["track"]: [outcome["id"] for outcome in one["outcomes"]] for one in playbooks}
    settled: list[tuple[str, str]] = []
    for job, answer, raised in (
        ("a", {"scores": {"nps": 2}}, [(NPS_RULE, "detractor", "recovered")]),
        ("b", {"scores": {"nps": 5}}, [(NPS_RULE, "detractor", "churn_risk")]),
        ("c", {"scores": {"nps": 8}}, [("quiet", "passive", "suggestion")]),
        ("d", {"scores": {"nps": 10}}, [("happy", "promoter", "testimonial")]),
        (
            "e",
            {"scores": {"nps": 9}, "ratings": {"hygiene": 1, "speed": 5}},
            [("happy", "promoter", "advisory_board"), ("but", "passive", "suggestion")],
        ),
        ("f", {"scores": {"csat": 2}}, [("csat", "detractor", "recovered")]),
        ("g", {"scores": {"ces": 7}}, [("effort", "passive", "no_suggestion")]),
        ("h", {"comment": "Nobody ever called me back"}, [("complaint", "detractor", "recovered")]),
    ):
        response = await company.said(job, answer)
        for rule, track, result in raised:
            assert result in outcomes[track]
            await settle(company, await company.case(response, rule), track, result)
            settled.append((track, result))
    await company.case(await company.said("i", {"scores": {"nps": 1}}), NPS_RULE)
    await company.said("j", {"scores": {"csat": 5}})

    path = f"/v1/reports/follow-up?org_unit={company.name('all')}"

    async def counted_so_far() -> dict[str, Any]:
        found: dict[str, Any] = await company.ask("closed-loop", "GET", path)
        return found

    report = await company.until(counted_so_far, lambda found: found["total"]["respondents"] == 10)
    assert {one["track"]: (one["in_time"], one["n"], one["pending"]) for one in report["by_track"]} == {
        "detractor": (4, 4, 1),
        "passive": (2, 2, 0),
        "promoter": (2, 2, 0),
        "unscored": (0, 1, 0),
    }
    (team,) = report["by_org_unit"]
    assert (team["org_unit"], team["respondents"], team["in_time"]) == (company.name("north"), 10, 8)
    assert (report["total"]["share"], report["total"]["ci95"]) == ("0.888889", ["0.564994", "0.980110"])
    counted = {(one["track"], one["result"]): one["cases"] for one in report["results"]}
    assert counted == {one: settled.count(one) for one in settled}


async def settle(company: FollowedCompany, case: dict[str, Any], track: str, result: str) -> None:
    """Contacted and resolved with what came of it; what can only come of another track is refused."""
    assert case["track"] == track
    await company.do(case, "contact", {"method": "phone"})
    written = {name: "x" for name in case["required_documentation"] if name != "result"}
    other = "upsell" if track != "promoter" else "recovered"
    path, told = f"/v1/cases/{case['id']}/resolve", {**written, "result": other}
    refused = await company.refused(422, "closed-loop", "POST", path, told)
    assert [error["pointer"] for error in refused["errors"]] == ["/body/result"]
    assert (await company.do(case, "resolve", {**written, "result": result}))["result"] == result
