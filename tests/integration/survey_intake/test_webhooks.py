"""What platforms get for what they send."""

import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.integration.survey_intake.platform import (
    OTHER_SECRET,
    SECRET,
    connect,
    connect_own,
    deliver,
    formbricks,
    own,
)

from fairloop.db import sql
from fairloop.events import SurveyResponse
from fairloop.testing import Box
from survey_intake.service.publishing import opened_origin


async def test_a_signed_delivery_is_accepted_and_published_without_anything_personal(box: Box) -> None:
    await connect(box)

    answer = await deliver(box, formbricks(answers={"q_name": "Anna Visser", "q_mail": "anna@example.org"}))

    assert answer.status_code == 202
    assert answer.json()["outcome"] == "accepted"
    assert answer.json()["revision"] == 1
    (event,) = await box.published(SurveyResponse)
    assert str(event.response_id) == answer.json()["response_id"]
    assert event.version == 1
    assert event.facts.scores.nps == 3
    assert event.facts.has_comment
    assert event.interaction_ref == "job-1"
    assert event.customer is not None
    for personal in ("Anna", "anna@", "dirty", "cust-1"):
        assert personal not in repr(event)


async def test_every_event_of_a_response_carries_the_platforms_id_sealed(box: Box) -> None:
    await connect(box)

    await deliver(box, formbricks("their-id"))
    await deliver(box, formbricks("their-id", answers={"q_nps": 9}))

    events = await box.published(SurveyResponse)
    vault = box.app.state.resource.keyring.vault
    assert [opened_origin(event.origin or "", event.response_id, vault) for event in events] == [
        "their-id"
    ] * 2
    assert "their-id" not in repr(events)


async def test_created_updated_and_finished_are_one_response(box: Box) -> None:
    await connect(box)

    first = await deliver(
        box,
        formbricks(event="responseCreated", updatedAt="2026-03-01T08:00:00Z", data={"h_customer": "cust-1"}),
    )
    second = await deliver(
        box, formbricks(event="responseUpdated", updatedAt="2026-03-01T08:00:30Z", data={"q_nps": 3})
    )
    third = await deliver(box, formbricks())

    assert {answer.json()["response_id"] for answer in (first, second, third)} == {
        first.json()["response_id"]
    }
    assert [answer.json()["revision"] for answer in (first, second, third)] == [1, 2, 3]
    assert [event.version for event in await box.published(SurveyResponse)] == [1, 2, 3]


async def test_a_repeated_delivery_is_a_duplicate_and_publishes_nothing(box: Box) -> None:
    await connect(box)
    first = await deliver(box, formbricks())

    again = await deliver(box, formbricks())

    assert again.status_code == 202
    assert again.json() == first.json() | {"outcome": "duplicate"}
    assert len(await box.published(SurveyResponse)) == 1


async def test_every_outcome_is_in_the_log_with_the_responses_id_and_nothing_of_the_answer(box: Box) -> None:
    await connect(box)

    with capture_logs() as lines:
        first = await deliver(box, formbricks())
        await deliver(box, formbricks())
        await deliver(box, formbricks(answers={"q_nps": 9}))
        await deliver(box, b"{}")

    told = [line for line in lines if line["event"] == "deliveries"]
    response_id = first.json()["response_id"]
    expected: list[dict[str, Any]] = [
        {"accepted": [response_id]},
        {"duplicate": [response_id]},
        {"accepted": [response_id]},
        {"quarantined": [None]},
    ]
    assert [{name: line[name] for name in line.keys() - {"event", "log_level"}} for line in told] == expected


@pytest.mark.parametrize("secret", [None, OTHER_SECRET])
async def test_without_the_right_signature_nothing_gets_in(door: Box, secret: str | None) -> None:
    answer = await deliver(door, formbricks(), secret=secret)

    assert answer.status_code == 401
    assert await door.published(SurveyResponse) == []


@pytest.mark.fault(16)
@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_stale_signature_is_refused(door: Box, seconds: int) -> None:
    answer = await deliver(door, formbricks(), at=door.clock.now + timedelta(seconds=seconds))

    assert answer.status_code == 401


async def test_a_connection_with_neither_secret_nor_unsigned_refuses_everything(box: Box) -> None:
    await connect(box, secrets=[])

    assert (await deliver(box, formbricks())).status_code == 401
    assert (await deliver(box, formbricks(), secret=None)).status_code == 401


async def test_unsigned_deliveries_pass_where_the_connection_says_so(box: Box) -> None:
    await connect(box, secrets=[], unsigned=True)

    assert (await deliver(box, formbricks(), secret=None)).json()["outcome"] == "accepted"


async def test_both_secrets_work_during_a_rotation_and_the_old_one_stops_at_once(box: Box) -> None:
    await connect(box, secrets=[OTHER_SECRET, SECRET])
    assert (await deliver(box, formbricks("a"))).status_code == 202
    assert (await deliver(box, formbricks("b"), secret=OTHER_SECRET)).status_code == 202

    await connect(box, secrets=[OTHER_SECRET])

    assert (await deliver(box, formbricks("c"))).status_code == 401
    assert (await deliver(box, formbricks("d"), secret=OTHER_SECRET)).status_code == 202


async def test_the_test_of_an_address_is_ignored(door: Box) -> None:
    answer = await deliver(door, {"event": "testEndpoint"})

    assert answer.status_code == 202
    assert answer.json() == {"outcome": "ignored", "response_id": None, "revision": None}


async def waiting(box: Box) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await box.http("ops").get("/v1/quarantine")).json()["items"]
    return items


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b'{"event": "\xff"}',
        b'{"event": "responseFinished", "x": NaN}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"data":' * 10_000 + b"1" + b"}" * 10_000,
        b"[1]",
        b"null",
        b"{}",
        b'{"event": "responseFinished", "data": {"id": 1}}',
        b'{"event": "\\ud800"}',
        json.dumps(formbricks(data={})).encode(),
        json.dumps(formbricks(data=[])).encode(),
        json.dumps(formbricks(id=None)).encode(),
        json.dumps(formbricks(id="a\x00b")).encode(),
        json.dumps(formbricks(surveyId={"a": 1})).encode(),
        json.dumps(formbricks(createdAt="yesterday")).encode(),
        json.dumps(formbricks(createdAt="0001-01-01T00:00:00+14:00")).encode(),
        json.dumps(formbricks(event="somethingElse")).encode(),
        json.dumps(formbricks(data={"q_nps": 11})).encode(),
        json.dumps(formbricks(data={"q_nps": "1: Male"})).encode(),
        json.dumps(formbricks(data={"q_nps": True})).encode(),
    ],
)
async def test_what_is_authentic_but_not_understood_is_quarantined(door: Box, body: bytes) -> None:
    before = await waiting(door)

    answer = await deliver(door, body)

    assert answer.status_code == 202, answer.text
    assert answer.json() == {"outcome": "quarantined", "response_id": None, "revision": None}
    (item,) = [each for each in await waiting(door) if each not in before]
    assert item["connection"] == "glass"
    assert item["errors"]


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    ("told", "nps"), [(0, 0), ("10", 10), (11, None), (-1, None), (7.5, None), ("", None)]
)
async def test_scores_are_whole_numbers_in_range_or_absent(box: Box, told: object, nps: int | None) -> None:
    await connect(box)

    answer = await deliver(box, formbricks(answers={"q_nps": told}))

    assert answer.json()["outcome"] == "accepted"
    (event,) = await box.published(SurveyResponse)
    assert event.facts.scores.nps == nps


@pytest.mark.parametrize("path", ["nowhere", "", "a/b", "%00", "glass/", "x" * 200, "über"])
async def test_an_address_that_leads_nowhere_asks_to_try_again_later(door: Box, path: str) -> None:
    answer = await door.http().post(f"/v1/webhooks/{path}", content=b"{}")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_do_not_switch_a_webhook_off(door: Box, method: str) -> None:
    assert (await door.http().request(method, "/v1/webhooks/glass")).status_code == 503


async def test_head_says_whether_there_is_such_a_connection(door: Box) -> None:
    assert (await door.http().head("/v1/webhooks/glass")).status_code == 200
    assert (await door.http().head("/v1/webhooks/nowhere")).status_code == 503


@pytest.mark.fault(17)
@pytest.mark.parametrize("secret", [SECRET, None])
async def test_a_body_of_five_megabytes_is_too_large_signed_or_not(door: Box, secret: str | None) -> None:
    answer = await deliver(door, b"x" * 5_000_000, secret=secret)

    assert answer.status_code == 413
    assert "connection" not in answer.headers


async def test_beyond_sixteen_megabytes_the_connection_is_closed(door: Box) -> None:
    answer = await deliver(door, b"x" * 17_000_000, secret=None)

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


async def test_a_body_of_exactly_one_mebibyte_is_read(box: Box) -> None:
    await connect(box)

    assert (await deliver(box, b"x" * 1024 * 1024)).json()["outcome"] == "quarantined"


async def test_our_own_format_comes_over_a_webhook_too(box: Box) -> None:
    await connect_own(box)

    answer = await deliver(box, own(), connection="own")
    broken = await deliver(box, own(scores={"nps": "many"}), connection="own")

    assert answer.json()["outcome"] == "accepted"
    assert broken.json()["outcome"] == "quarantined"


async def test_a_signature_is_checked_over_the_raw_bytes(box: Box) -> None:
    await connect(box)
    spaced = json.dumps(formbricks(), indent=3).encode()

    assert (await deliver(box, spaced)).json()["outcome"] == "accepted"


async def test_the_raw_delivery_is_kept_sealed(box: Box) -> None:
    await connect(box)

    await deliver(box, formbricks())

    async with box.db.begin() as session:
        ((raw, personal),) = await sql(session, "SELECT raw, personal FROM revision")
    assert raw
    assert b"dirty" not in raw + personal
