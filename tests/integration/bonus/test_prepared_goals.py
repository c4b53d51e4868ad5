"""A text of a plan counts after its notice, and an acceptance counts for the text it names."""

from datetime import UTC, datetime

import pytest

from .office import Office, plan_body

ACCEPTANCES = "/v1/plans/quarterly/acceptances"
GATED = {"gates": [{"kind": "accepted"}]}


async def test_publishing_says_from_when_a_version_counts(office: Office) -> None:
    draft = (await office.admin.put("/v1/plans/quarterly", json=plan_body())).json()
    assert (draft["published_on"], draft["in_force_from"]) == (None, None)
    plan = await office.publish()
    assert (plan["published_on"], plan["in_force_from"]) == ("2026-03-02", "2026-04-01")


async def test_a_period_cannot_begin_while_the_first_notice_is_running(office: Office) -> None:
    await office.publish()
    body = {"from": "2026-03-15", "to": "2026-04-15", "plan": "quarterly"}
    refused = await office.admin.put("/v1/periods/soon", json=body)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/body/from"
    assert "may begin on 2026-04-01 at the earliest" in error["detail"]
    assert (await office.admin.get("/v1/periods/soon")).status_code == 404
    await office.open_period("2026Q2", "2026-04-01", "2026-07-01")


async def test_a_period_set_up_before_the_plan_was_published_waits_for_the_notice_too(office: Office) -> None:
    await office.admin.put("/v1/plans/quarterly", json=plan_body())
    await office.open_period("soon", "2026-03-15", "2026-04-15")
    assert (await office.admin.get("/v1/periods/soon")).json()["notice"] is None
    await office.publish()
    refused = await office.finance.post("/v1/periods/soon/calculate")
    assert refused.status_code == 409
    assert "may begin on 2026-04-01" in refused.json()["detail"]
    assert (await office.admin.get("/v1/periods/soon")).json()["status"] == "open"


async def test_a_look_back_is_calculated_and_says_that_nobody_was_told(office: Office) -> None:
    plan = await office.publish()
    await office.open_period()
    notice = (await office.admin.get("/v1/periods/2026Q1")).json()["notice"]
    assert notice == {
        "plan_version": 1,
        "text_hash": plan["text_hash"],
        "published_on": "2026-03-02",
        "in_force_from": "2026-04-01",
        "kept": False,
    }
    assert (await office.calculate())["plan_version"] == 1


async def test_a_change_announced_too_late_waits_for_the_next_period(office: Office) -> None:
    await office.publish()
    office.box.clock.now = datetime(2026, 6, 20, 9, tzinfo=UTC)
    changed = await office.publish(name="Harder", notice_days=0)
    assert changed["in_force_from"] == "2026-07-20"
    await office.open_period("2026Q3", "2026-07-01", "2026-10-01")
    await office.open_period("2026Q4", "2026-10-01", "2027-01-01")
    assert (await office.calculate("2026Q3"))["plan_version"] == 1
    assert (await office.calculate("2026Q4"))["plan_version"] == 2
    listed = (await office.admin.get("/v1/periods")).json()["items"]
    assert [(one["id"], one["notice"]["plan_version"], one["notice"]["kept"]) for one in listed] == [
        ("2026Q3", 1, True),
        ("2026Q4", 2, True),
    ]


async def test_an_acceptance_of_a_superseded_text_does_not_count(office: Office) -> None:
    first = await office.publish(**GATED)
    m1 = office.employee("m1")
    old = {"employee": "m1", "text_hash": first["text_hash"]}
    assert (await m1.post(ACCEPTANCES, json=old)).status_code == 201

    office.box.clock.now = datetime(2026, 6, 20, 9, tzinfo=UTC)
    second = await office.publish(**GATED, name="Harder")
    assert (await m1.post(ACCEPTANCES, json=old)).status_code == 201  # still the text in force

    office.box.clock.now = datetime(2026, 7, 20, 9, tzinfo=UTC)
    refused = await m1.post(ACCEPTANCES, json=old)
    assert refused.status_code == 409
    assert "version 1 is superseded" in refused.json()["detail"]
    (held,) = (await m1.get(ACCEPTANCES)).json()["items"]
    assert (held["version"], held["counts"]) == (1, False)

    await office.open_period("2026Q4", "2026-10-01", "2027-01-01")
    await office.calculate("2026Q4")
    statement = await office.statement(period="2026Q4")
    assert statement["held_minor"] == statement["payout_minor"] > 0

    new = {"employee": "m1", "text_hash": second["text_hash"]}
    accepted = await m1.post(ACCEPTANCES, json=new)
    assert (accepted.status_code, accepted.json()["version"]) == (201, 2)
    await office.calculate("2026Q4")
    assert (await office.statement(period="2026Q4"))["held_minor"] == 0


async def test_who_accepted_is_for_those_who_pay_and_for_oneself(office: Office) -> None:
    plan = await office.publish()
    for employee in ("m1", "m2"):
        body = {"employee": employee, "text_hash": plan["text_hash"]}
        await office.employee(employee).post(ACCEPTANCES, json=body)
    assert [one["employee"] for one in (await office.finance.get(ACCEPTANCES)).json()["items"]] == [
        "m1",
        "m2",
    ]
    assert [one["employee"] for one in (await office.employee("m2").get(ACCEPTANCES)).json()["items"]] == [
        "m2"
    ]
    assert (await office.admin.get("/v1/plans/none/acceptances")).status_code == 404


async def test_one_call_says_what_counts_what_does_not_why_and_how_to_object(office: Office) -> None:
    plan = await office.publish()
    await office.open_period()
    answer = (await office.employee("m1").get("/v1/goals/m1")).json()
    (goal,) = answer["items"]
    assert (goal["accepted"], goal["notice"]["text_hash"]) == (False, plan["text_hash"])
    assert goal["answers"]["counted"] == 20
    (uncounted,) = goal["answers"]["not_counted"]
    assert (uncounted["reason"], uncounted["n"]) == ("not_influenceable", 6)
    assert uncounted["meaning"] == "the cause was nothing this role can influence"
    assert len(goal["answers"]["excluded"]) == 6
    own, unit = goal["components"]
    assert (own["where"], own["reliability"], unit["reliability"]) == ("below_excellence", 0.5, None)
    assert own["sentence"].startswith("45 from 20 answers lies between the target of 40 and excellence at 60")
    assert {(call["service"], call["path"]) for call in answer["objections"]} >= {
        ("attribution", "/v1/disputes"),
        ("bonus", "/v1/inquiries"),
    }


@pytest.mark.parametrize("role", ["employee", "works_council", "ops"])
async def test_the_goals_of_the_organisation_are_for_everybody(office: Office, role: str) -> None:
    shared = plan_body()["components"]
    shared[1] |= {"scope": "organisation", "view": "all"}
    await office.publish(components=shared)
    await office.open_period()
    (goal,) = (await office.box.http(role, employee_id="s1").get("/v1/organisation-goals")).json()["items"]
    assert (goal["component"], goal["value"], goal["where"]) == ("unit", 11.5, "below_threshold")
    assert goal["curve"]["target"] == "40"
    assert (await office.employee("m1").get("/v1/goals/m1")).json()["organisation"] == [goal]
