"""Identity, duplicates, revisions, and what others are told of them."""

import asyncio
import json
from datetime import date, timedelta

import pytest
from msgspec.structs import replace
from tests.integration.survey_intake.platform import connect, connect_own, deliver, formbricks, own

from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import SurveyResponse
from fairloop.testing import Box, running
from survey_intake.keyring import Keyring
from survey_intake.main import service
from survey_intake.service.posting import address
from survey_intake.service.publishing import opened_origin
from survey_intake.service.republishing import republish


async def post(box: Box, response_id: str = "r1", **changes: object) -> dict[str, object]:
    answer = await box.http("service").post("/v1/responses", json=own(response_id, **changes))
    assert answer.status_code == 202, answer.text
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.fault(16)
async def test_a_thousand_concurrent_duplicates_make_one_row_and_one_is_accepted(box: Box) -> None:
    await connect(box)

    answers = await asyncio.gather(*(deliver(box, formbricks()) for _ in range(1000)))

    assert {answer.status_code for answer in answers} == {202}
    outcomes = [answer.json()["outcome"] for answer in answers]
    assert outcomes.count("accepted") == 1
    assert outcomes.count("duplicate") == 999
    async with box.db.begin() as session:
        assert [row[0] for row in await sql(session, "SELECT revisions FROM response")] == [1]
        assert len(await sql(session, "SELECT 1 FROM revision")) == 1
    assert len(await box.published(SurveyResponse)) == 1


@pytest.mark.fault(16)
async def test_two_processes_that_get_the_same_responses_at_once_store_each_once(box: Box) -> None:
    await connect_own(box)
    resource = service.resource
    assert resource is not None
    bodies = [own(f"r{n}", customer={"ref": f"c{n % 7}"}) for n in range(100)]
    posts = [address(json.dumps(body).encode(), "") for body in bodies]

    async with resource(box.runtime) as one, resource(box.runtime) as other:
        receipts = await asyncio.gather(
            *(one.post(posted) for posted in posts), *(other.post(posted) for posted in reversed(posts))
        )

    outcomes = [receipt.outcome for receipt in receipts]
    assert (outcomes.count("accepted"), outcomes.count("duplicate")) == (100, 100)
    assert len({receipt.response_id for receipt in receipts}) == 100
    assert len(await box.published(SurveyResponse)) == 100


async def test_a_then_b_then_a_are_three_revisions(box: Box) -> None:
    await connect_own(box)

    answers = [await post(box, scores={"nps": nps}) for nps in (3, 9, 3)]

    assert [answer["outcome"] for answer in answers] == ["accepted"] * 3
    assert [answer["revision"] for answer in answers] == [1, 2, 3]
    events = await box.published(SurveyResponse)
    assert [(event.version, event.facts.scores.nps) for event in events] == [(1, 3), (2, 9), (3, 3)]


async def test_an_older_revision_is_kept_but_never_overwrites_a_newer_one(box: Box) -> None:
    await connect_own(box)
    newer = await post(box, scores={"nps": 9}, updated_at="2026-03-01T10:00:00Z")

    older = await post(box, scores={"nps": 3}, updated_at="2026-03-01T09:00:00Z")
    again = await post(box, scores={"nps": 3}, updated_at="2026-03-01T09:00:00Z")

    assert (older["outcome"], older["revision"]) == ("accepted", 2)
    assert again["outcome"] == "duplicate"
    shown = (await box.http("ops").get(f"/v1/responses/{newer['response_id']}")).json()
    assert shown["scores"]["nps"] == 9
    assert (shown["revision"], shown["revisions"], shown["version"]) == (1, 2, 1)
    assert [event.facts.scores.nps for event in await box.published(SurveyResponse)] == [9]


async def test_an_edit_between_two_equal_deliveries_does_not_come_back_over_them(box: Box) -> None:
    await connect_own(box)
    await post(box, scores={"nps": 9}, updated_at="2026-03-01T09:00:00Z")
    await post(box, scores={"nps": 9}, updated_at="2026-03-01T11:00:00Z")

    late = await post(box, scores={"nps": 3}, updated_at="2026-03-01T10:00:00Z")

    shown = (await box.http("ops").get(f"/v1/responses/{late['response_id']}")).json()
    assert shown["scores"]["nps"] == 9


async def test_equal_times_are_ordered_by_arrival(box: Box) -> None:
    await connect_own(box)
    await post(box, scores={"nps": 3})

    await post(box, scores={"nps": 9})

    assert (await box.published(SurveyResponse))[-1].facts.scores.nps == 9


async def test_revisions_inside_one_batch_are_each_published_in_order(box: Box) -> None:
    await connect_own(box)
    batch = [own(scores={"nps": nps}) for nps in (1, 1, 2, 1)]

    answer = await box.http("service").post("/v1/responses", json={"responses": batch})

    outcomes = [(each["outcome"], each["revision"]) for each in answer.json()["outcomes"]]
    assert outcomes == [("accepted", 1), ("duplicate", 1), ("accepted", 2), ("accepted", 3)]
    assert [event.version for event in await box.published(SurveyResponse)] == [1, 2, 3]


async def test_the_day_is_the_local_date_of_the_first_revision(postgres: PostgresServer) -> None:
    async with running(service, postgres, env={"timezone": "Europe/Amsterdam"}) as box:
        await connect_own(box)
        await post(box, submitted_at="2026-02-28T23:30:00Z")
        await post(box, submitted_at="2026-03-01T23:30:00Z", scores={"nps": 9})

        events = await box.published(SurveyResponse)

    assert [event.facts.day for event in events] == [date(2026, 3, 1), date(2026, 3, 1)]


async def test_a_time_without_an_offset_is_local_to_the_connection(box: Box) -> None:
    await connect_own(box, timezone="Asia/Tokyo")

    await post(box, submitted_at="2026-03-01T08:00:00")

    (event,) = await box.published(SurveyResponse)
    assert event.facts.submitted_at.isoformat() == "2026-02-28T23:00:00+00:00"


async def test_a_time_ahead_of_our_clock_becomes_that_of_receipt_and_is_flagged(box: Box) -> None:
    await connect_own(box)
    ahead = (box.clock.now + timedelta(minutes=6)).isoformat()

    first = await post(box, submitted_at=ahead)
    box.clock.advance(timedelta(minutes=1))
    again = await post(box, submitted_at=ahead)

    assert again["outcome"] == "duplicate"
    shown = (await box.http("ops").get(f"/v1/responses/{first['response_id']}")).json()
    assert shown["submitted_at"] == "2026-03-02T09:00:00Z"
    assert shown["warnings"][0]["pointer"] == "/submitted_at"


async def test_a_deleted_response_is_retracted_once_and_ignores_what_comes_later(box: Box) -> None:
    await connect_own(box)
    made = await post(box)
    path = f"/v1/responses/{made['response_id']}"

    first = await box.http("ops").delete(path)
    second = await box.http("ops").delete(path)
    later = await post(box, scores={"nps": 9})

    assert first.status_code == 200
    assert first.json() == second.json()
    assert later == {"outcome": "ignored", "response_id": made["response_id"], "revision": 1}
    _, retraction = await box.published(SurveyResponse)
    assert (retraction.version, retraction.deleted, retraction.erased) == (2, True, False)
    assert retraction.facts.scores.nps is None
    assert retraction.facts.causes == ()


async def test_deleting_what_is_not_there_is_not_found(box: Box) -> None:
    assert (
        await box.http("ops").delete("/v1/responses/01900000-0000-7000-8000-000000000000")
    ).status_code == 404


async def test_republishing_tells_every_current_state_with_its_version(box: Box) -> None:
    await connect_own(box)
    gone = await post(box, response_id="gone")
    await box.http("ops").delete(f"/v1/responses/{gone['response_id']}")
    await post(box, response_id="edited")
    await post(box, response_id="edited", scores={"nps": 9})
    newest = {event.response_id: replace(event, origin=None) for event in await box.published(SurveyResponse)}

    async with box.db.begin() as session:
        told = [event async for event in republish(box.runtime, session)]

    answers = [event for event in told if isinstance(event, SurveyResponse)]
    assert {event.response_id: replace(event, origin=None) for event in answers} == newest
    vault = Keyring.of(box.runtime.settings).vault
    found = {opened_origin(event.origin or "", event.response_id, vault) for event in answers}
    assert found == {"gone", "edited"}
    assert len(told) == 2
