"""Connections, posts, reading and quarantine over the API."""

import json

import pytest
from tests.integration.survey_intake.platform import (
    MAPPING,
    OTHER_SECRET,
    SECRET,
    connect,
    connect_own,
    deliver,
    formbricks,
    own,
)

from fairloop.events import SurveyResponse
from fairloop.testing import Box


async def test_secrets_are_written_and_never_shown(box: Box) -> None:
    await connect(box)

    shown = await box.http("ops").get("/v1/connections/glass")
    listed = await box.http("ops").get("/v1/connections")

    assert shown.json()["live_secrets"] == 1
    assert shown.json()["mapping"] == MAPPING
    assert listed.json()["items"] == [shown.json()]
    assert "whsec" not in shown.text + listed.text


async def test_secrets_stay_when_left_out_and_go_when_emptied(box: Box) -> None:
    await connect(box)

    await connect(box, secrets=None)
    assert (await deliver(box, formbricks())).status_code == 202

    await connect(box, secrets=[])
    assert (await deliver(box, formbricks())).status_code == 401


@pytest.mark.parametrize("platform", ["typeform", "tally", "surveymonkey", "qualtrics", "jotform", "generic"])
async def test_platforms_that_cannot_be_read_yet_are_refused_by_name(door: Box, platform: str) -> None:
    answer = await door.http("admin").put(
        "/v1/connections/x", json={"platform": platform, "survey_type": "transactional"}
    )

    assert answer.status_code == 422
    assert "formbricks, fairloop" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/body/platform"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"secrets": ["secret"]}, "/body/secrets/0"),
        ({"secrets": [SECRET, "whsec_%%%"]}, "/body/secrets/1"),
        ({"secrets": [SECRET, SECRET, SECRET]}, "/body/secrets"),
        ({"timezone": "Mars/Olympus"}, "/body/timezone"),
        ({"timezone": "../etc/passwd"}, "/body/timezone"),
        ({"mapping": {"nsp": "q"}}, "/body/mapping/nsp"),
        ({"mapping": {"cause2": "q"}}, "/body/mapping/cause2"),
        ({"mapping": {"nps": "q", "csat": "q"}}, "/body/mapping/csat"),
        ({"mapping": {"segments": {"a b": "q"}}}, "/body/mapping/segments/a b"),
        ({"platform": "fairloop"}, "/body/mapping"),
        ({"survey_type": "other"}, "/body/survey_type"),
    ],
)
async def test_a_connection_that_cannot_work_is_refused_at_the_field(
    door: Box, change: dict[str, object], pointer: str
) -> None:
    told = {"platform": "formbricks", "survey_type": "transactional", "mapping": MAPPING} | change

    answer = await door.http("admin").put("/v1/connections/x", json=told)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_only_admins_make_connections(door: Box) -> None:
    assert (await door.http("ops").put("/v1/connections/x", json={})).status_code == 403
    assert (await door.http().put("/v1/connections/x", json={})).status_code == 401


async def test_a_single_response_is_answered_like_a_webhook(box: Box) -> None:
    await connect_own(box)

    answer = await box.http("service").post("/v1/responses", json=own())

    assert answer.status_code == 202
    assert answer.json()["outcome"] == "accepted"
    assert answer.json()["revision"] == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"connection": "nowhere"}, "/body/connection"),
        ({"connection": 7}, "/body/connection"),
        ({"survey_id": ""}, "/body/survey_id"),
        ({"response_id": None}, "/body/response_id"),
        ({"submitted_at": "2026-03-01"}, "/body/submitted_at"),
        ({"scores": {"nps": "many"}}, "/body/scores/nps"),
        ({"scores": {"nps": 11}, "comment": None}, "/body/scores/nps"),
        ({"scores": None, "comment": None}, "/body/scores"),
        ({"causes": [{"level2": "speed"}]}, "/body/causes/0/level1"),
        ({"customer": {"name": "Anna"}}, "/body/customer/ref"),
        ({"ratings": {"hygiene": "good"}}, "/body/ratings/hygiene"),
        ({"segments": {"branch": {}}}, "/body/segments/branch"),
        ({"consent": {"quote": "yes"}}, "/body/consent/quote"),
        ({"interaction_ref": "job 1"}, "/body/interaction_ref"),
    ],
)
async def test_a_malformed_response_is_refused_at_the_field(
    door: Box, change: dict[str, object], pointer: str
) -> None:
    answer = await door.http("service").post("/v1/responses", json=own() | change)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "Anna" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"{", b"[" * 100_000, b'{"a": NaN}', b'{"responses": 1}']
)
async def test_a_body_that_is_no_response_is_unprocessable(door: Box, body: bytes) -> None:
    assert (await door.http("service").post("/v1/responses", content=body)).status_code == 422


async def test_a_bad_item_does_not_stop_the_others(box: Box) -> None:
    await connect_own(box)
    batch = [own("a"), own("b", scores={"nps": "x"}), 7, own("c", connection="nowhere"), own("a"), own("d")]

    answer = await box.http("service").post("/v1/responses", json={"responses": batch})

    outcomes = answer.json()["outcomes"]
    assert answer.status_code == 202
    assert [each["index"] for each in outcomes] == list(range(6))
    assert [each["outcome"] for each in outcomes] == [
        "accepted",
        "rejected",
        "rejected",
        "rejected",
        "duplicate",
        "accepted",
    ]
    assert outcomes[1]["errors"][0]["pointer"] == "/body/responses/1/scores/nps"
    assert outcomes[0]["response_id"] == outcomes[4]["response_id"]


async def test_a_thousand_responses_fit_in_a_batch_and_one_more_does_not(box: Box) -> None:
    await connect_own(box)
    batch = [own(f"r{n}") for n in range(1000)]

    answer = await box.http("service").post("/v1/responses", json={"responses": batch})
    too_many = await box.http("service").post("/v1/responses", json={"responses": [*batch, own("x")]})

    assert {each["outcome"] for each in answer.json()["outcomes"]} == {"accepted"}
    assert len(await box.published(SurveyResponse)) == 1000
    assert too_many.status_code == 422


async def test_the_same_idempotency_key_gives_the_first_answer_again(box: Box) -> None:
    await connect_own(box)
    headers = {"Idempotency-Key": "k1"}

    first = await box.http("service").post("/v1/responses", json=own(), headers=headers)
    again = await box.http("service").post("/v1/responses", json=own(), headers=headers)
    batch = {"responses": [own("x"), {}, own("y")]}
    many = await box.http("service").post("/v1/responses", json=batch, headers={"Idempotency-Key": "k2"})

    assert first.json()["outcome"] == "accepted"
    assert again.json() == first.json()
    assert [each["outcome"] for each in many.json()["outcomes"]] == ["accepted", "rejected", "accepted"]


@pytest.mark.parametrize("role", ["admin", "ops"])
async def test_those_who_may_see_the_comment_and_the_customer(door: Box, role: str) -> None:
    made = (await door.http("service").post("/v1/responses", json=own())).json()

    shown = (await door.http(role).get(f"/v1/responses/{made['response_id']}")).json()

    assert shown["comment"] == "The car came back dirty."
    assert shown["customer"] == {
        "ref": "cust-1",
        "name": "Anna Visser",
        "email": "anna@example.org",
        "phone": "+31 6 1234",
    }
    assert shown["external_id"] == "r1"
    assert shown["scores"]["nps"] == 3


@pytest.mark.parametrize("role", ["analyst", "works_council", "finance", "service"])
async def test_others_see_the_response_without_them(door: Box, role: str) -> None:
    made = (await door.http("service").post("/v1/responses", json=own())).json()

    shown = (await door.http(role).get(f"/v1/responses/{made['response_id']}")).json()

    assert shown["scores"]["nps"] == 3
    assert "comment" not in shown
    assert "customer" not in shown


async def test_employees_do_not_read_responses(door: Box) -> None:
    answer = await door.http("employee").get("/v1/responses/01900000-0000-7000-8000-000000000000")

    assert answer.status_code == 403


async def test_a_response_is_found_by_the_platforms_ids(box: Box) -> None:
    await connect_own(box)
    await box.http("service").post("/v1/responses", json={"responses": [own("a"), own("b"), own("c")]})

    found = await box.http("analyst").get(
        "/v1/responses", params={"connection": "own", "survey_id": "s", "external_id": "b"}
    )
    page = await box.http("analyst").get("/v1/responses", params={"limit": 2})

    assert [item["external_id"] for item in found.json()["items"]] == ["b"]
    assert len(page.json()["items"]) == 2
    assert page.json()["next"]


async def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(box: Box) -> None:
    await connect(box)

    answer = await box.http("ops").post(
        "/v1/connections/glass/dry-run",
        json={"body": formbricks(answers={"q_rc1": "service", "q_rc2": "Cleanliness of the car"})},
    )
    broken = await box.http("ops").post("/v1/connections/glass/dry-run", json={"body": "{"})

    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["signature"], shown["outcome"]) == ("absent", "accepted")
    assert shown["response"]["causes"] == [{"level1": "service", "level2": "cleanliness"}]
    assert shown["response"]["comment"] == "The car came back dirty."
    assert broken.json()["errors"] == [{"pointer": "", "detail": "is not valid JSON"}]
    assert await box.published(SurveyResponse) == []
    assert (await box.http("ops").get("/v1/quarantine")).json()["items"] == []


async def test_a_quarantined_delivery_is_released_when_the_mapping_is_repaired(box: Box) -> None:
    await connect(box, mapping={"nps": "q_other"})
    await deliver(box, formbricks())
    await deliver(box, formbricks())
    (item,) = (await box.http("ops").get("/v1/quarantine")).json()["items"]
    assert item["seen"] == 2
    path = f"/v1/quarantine/{item['id']}"

    still = await box.http("ops").post(f"{path}/retry")
    await connect(box)
    released = await box.http("ops").post(f"{path}/retry")
    too_late = await box.http("ops").post(f"{path}/retry")

    assert still.json()["outcome"] == "quarantined"
    assert released.json()["outcome"] == "accepted"
    assert too_late.status_code == 409
    assert (await box.http("ops").get("/v1/quarantine")).json()["items"] == []
    (event,) = await box.published(SurveyResponse)
    assert str(event.response_id) == released.json()["response_id"]


async def test_a_discarded_delivery_loses_its_body_and_may_come_again(box: Box) -> None:
    await connect(box)
    await deliver(box, b"{}")
    (item,) = (await box.http("ops").get("/v1/quarantine")).json()["items"]

    discarded = await box.http("ops").post(f"/v1/quarantine/{item['id']}/discard")
    await deliver(box, b"{}")

    assert discarded.json()["status"] == "discarded"
    (again,) = (await box.http("ops").get("/v1/quarantine")).json()["items"]
    assert again["id"] != item["id"]
    settled = await box.http("ops").get("/v1/quarantine", params={"status": "discarded"})
    assert [each["settled_by"] for each in settled.json()["items"]] == ["ops"]


async def test_a_second_secret_is_accepted_over_the_api(box: Box) -> None:
    await connect(box, secrets=[SECRET, OTHER_SECRET])

    assert (await box.http("ops").get("/v1/connections/glass")).json()["live_secrets"] == 2


async def test_the_errors_of_a_quarantined_delivery_never_quote_the_answer(box: Box) -> None:
    await connect(box)
    await deliver(box, json.dumps(formbricks(data={"q_nps": "Anna Visser", "q_rc1": "Anna Visser"})).encode())

    answer = await box.http("ops").get("/v1/quarantine")

    assert "/data/data/q_nps" in answer.text
    assert "Anna" not in answer.text
