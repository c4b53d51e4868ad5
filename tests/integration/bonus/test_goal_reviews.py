"""Still the right goal? Asked once a year, answered by name."""

from datetime import UTC, datetime

import pytest

from .aggregator import Aggregator, figure
from .office import Office, plan_body

OWN = "/v1/goal-reviews/quarterly/own"
KEEP = {"decision": "keep", "reason": "It still tells who does good work."}


async def test_every_goal_is_asked_about_once_a_year_and_listed_when_overdue(office: Office) -> None:
    await office.publish()
    analyst = office.box.http("analyst")
    listed = (await analyst.get("/v1/goal-reviews")).json()["items"]
    assert [(one["component"], one["due_on"], one["status"]) for one in listed] == [
        ("own", "2027-03-02", "coming"),
        ("unit", "2027-03-02", "coming"),
    ]
    assert listed[0]["question"] == "Is own (nps of self) still the right goal?"
    assert (await analyst.get("/v1/goal-reviews?status=due")).json()["items"] == []
    soon = (await analyst.get("/v1/goal-reviews?as_of=2027-03-02&status=due")).json()["items"]
    assert len(soon) == 2

    office.box.clock.now = datetime(2027, 4, 2, 9, tzinfo=UTC)
    overdue = (await analyst.get("/v1/goal-reviews?status=overdue")).json()["items"]
    assert [one["component"] for one in overdue] == ["own", "unit"]
    assert (await office.admin.post(f"{OWN}/answer", json=KEEP)).status_code == 200
    left = (await analyst.get("/v1/goal-reviews?status=overdue")).json()["items"]
    assert [one["component"] for one in left] == ["unit"]


async def test_an_answer_keeps_who_gave_it_and_the_figures_it_was_given_with(
    office: Office, aggregator: Aggregator
) -> None:
    people = [f"p{n}" for n in range(5)]
    aggregator.figures += [figure(f"employee:{who}", 20.0 + 10 * n) for n, who in enumerate(people)]
    aggregator.disputes = [
        {"employee": "p0", "status": "upheld", "filed_at": "2026-02-01T09:00:00Z"},
        {"employee": "stranger", "status": "open", "filed_at": "2026-02-01T09:00:00Z"},
    ]
    aggregator.adoption = {"n": 40, "share": "0.7500"}
    await office.publish(payees=[{"employee": who, "target_bonus_minor": 1000} for who in people])
    await office.open_period()
    await office.approve(await office.calculate())
    await office.employee("p0").post(
        "/v1/inquiries", json={"period": "2026Q1", "employee": "p0", "text": "Why?"}
    )

    answered = await office.finance.post(f"{OWN}/answer", json=KEEP)
    assert answered.status_code == 200, answered.text
    body = answered.json()
    (period,) = body["figures"]["periods"]
    assert (period["period"], period["payees"], period["at_zero"], period["at_cap"]) == (
        "2026Q1",
        5,
        "0.4",
        "0.2",
    )
    assert (period["median_attainment"], period["mean_reliability"]) == ("1", "0.5")
    assert body["figures"]["disputes"] == {"filed": 1, "upheld": 1, "open": 0}
    assert (body["figures"]["inquiries"], body["figures"]["adoption"]["share"]) == (1, "0.7500")
    assert body["figures"]["missing"] == []
    (kept,) = body["answers"]
    assert (kept["decision"], kept["answered_by"], kept["due_on"]) == ("keep", "fin", "2027-03-02")
    assert kept["figures"]["disputes"]["filed"] == 1


async def test_a_goal_that_came_later_is_asked_about_later_and_a_dropped_one_no_more(office: Office) -> None:
    own, unit = plan_body()["components"]
    await office.publish(components=[own | {"weight": "1"}])
    office.box.clock.now = datetime(2026, 9, 1, 9, tzinfo=UTC)
    await office.publish(components=[own, unit])
    listed = (await office.admin.get("/v1/goal-reviews")).json()["items"]
    assert [(one["component"], one["due_on"]) for one in listed] == [
        ("own", "2027-03-02"),
        ("unit", "2027-09-01"),
    ]
    dropped = await office.admin.post(f"{OWN}/answer", json=KEEP | {"decision": "drop"})
    assert dropped.json()["status"] == "dropped"
    overdue = (await office.admin.get("/v1/goal-reviews?as_of=2030-01-01&status=overdue")).json()["items"]
    assert [one["component"] for one in overdue] == ["unit"]
    office.box.clock.now = datetime(2026, 10, 1, 9, tzinfo=UTC)
    await office.publish(components=[own, unit], name="With it all the same")
    again = (await office.admin.get("/v1/goal-reviews?as_of=2030-01-01&status=overdue")).json()["items"]
    assert {one["component"] for one in again} == {"own", "unit"}


async def test_the_question_can_be_answered_when_another_service_is_away(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    aggregator.down = True
    detail = (await office.admin.get(OWN)).json()
    assert detail["figures"]["missing"] == ["closed-loop did not answer"]
    assert detail["figures"]["adoption"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decision": "maybe", "reason": "x"}, "/body/decision"),
        ({"decision": "keep", "reason": ""}, "/body/reason"),
        ({"decision": "keep"}, "/body/reason"),
    ],
)
async def test_an_answer_needs_a_decision_and_a_reason(
    office: Office, body: dict[str, str], pointer: str
) -> None:
    await office.publish()
    refused = await office.admin.post(f"{OWN}/answer", json=body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await office.admin.get(OWN)).json()["answers"] == []


async def test_only_those_who_make_plans_answer(office: Office) -> None:
    await office.publish()
    for role in ("analyst", "works_council"):
        assert (await office.box.http(role).get(OWN)).status_code == 200
        assert (await office.box.http(role).post(f"{OWN}/answer", json=KEEP)).status_code == 403
    assert (await office.employee("m1").get(OWN)).status_code == 403
    assert (await office.admin.get("/v1/goal-reviews/quarterly/none")).status_code == 404
