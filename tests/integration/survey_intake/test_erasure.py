"""A customer asks to be forgotten."""

import asyncio
import json
from typing import Any

import pytest
from tests.integration.survey_intake.platform import connect, connect_own, deliver, formbricks, own

from fairloop.db import Database, sql
from fairloop.events import SurveyResponse
from fairloop.testing import Box

PERSONAL = ("cust-1", "Anna Visser", "anna@example.org", "+31 6 1234", "The car came back dirty.")


async def everything_in(db: Database) -> str:
    """Every value of every table, as text; bytes as text where they are text."""
    found: list[str] = []
    async with db.begin() as session:
        tables = await sql(
            session,
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        for schema, table in tables:
            for row in await sql(session, f'SELECT * FROM "{schema}"."{table}"'):
                found.extend(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                )
    return "\n".join(found)


async def post(box: Box, external_id: str = "r1", **changes: Any) -> dict[str, Any]:
    answer = await box.http("service").post("/v1/responses", json=own(external_id, **changes))
    body: dict[str, Any] = answer.json()
    return body


async def test_erasure_retracts_each_response_of_the_customer_once(box: Box) -> None:
    await connect_own(box)
    mine = [await post(box, external_id) for external_id in ("r1", "r2")]
    await post(box, "r3", customer={"ref": "cust-2"})

    receipt = await box.http("ops").delete("/v1/customers/cust-1")
    again = await box.http("ops").delete("/v1/customers/cust-1")

    assert receipt.status_code == again.status_code == 202
    assert receipt.json()["responses"] == 2
    assert again.json() == receipt.json() | {"responses": 0}
    erased = [event for event in await box.published(SurveyResponse) if event.erased]
    assert {str(event.response_id) for event in erased} == {answer["response_id"] for answer in mine}
    assert {event.version for event in erased} == {2}
    assert {event.facts.scores.nps for event in erased} == {None}
    assert {event.customer for event in erased} == {None}


async def test_after_erasure_nothing_personal_is_found_anywhere_in_the_database(box: Box) -> None:
    await connect_own(box)
    await connect(box)
    await post(box)
    await post(box, comment="Still dirty: anna@example.org")
    await post(box, "idempotent")
    await box.http("service").post(
        "/v1/responses", json=own("once"), headers={"Idempotency-Key": "a key of the caller"}
    )
    await deliver(box, formbricks(data={"h_customer": "cust-1", "q_mail": "anna@example.org", "q_nps": 11}))
    await deliver(box, b'\xff {"customer": "cust-1", "name": "Anna Visser"}')
    before = await everything_in(box.db)
    assert not [word for word in PERSONAL if word in before]

    await box.http("ops").delete("/v1/customers/cust-1")

    after = await everything_in(box.db)
    assert not [word for word in PERSONAL if word in after]
    async with box.db.begin() as session:
        kept = await sql(session, "SELECT 1 FROM revision WHERE raw IS NOT NULL OR personal IS NOT NULL")
        keys = await sql(session, "SELECT 1 FROM customer WHERE wrapped_key IS NOT NULL")
        bodies = await sql(session, "SELECT 1 FROM quarantine WHERE body IS NOT NULL")
    assert (len(kept), len(keys), len(bodies)) == (0, 0, 0)


async def test_an_erased_response_shows_nothing_that_was_answered(box: Box) -> None:
    await connect_own(box)
    made = await post(box, segments={"branch": "north"}, causes=[{"level1": "service"}])

    await box.http("ops").delete("/v1/customers/cust-1")

    shown = (await box.http("ops").get(f"/v1/responses/{made['response_id']}")).json()
    assert shown["status"] == "erased"
    assert (shown["comment"], shown["customer"], shown["interaction_ref"]) == (None, None, None)
    assert (shown["scores"]["nps"], shown["causes"], shown["segments"]) == (None, [], {})


async def test_an_erased_identity_stays_erased(box: Box) -> None:
    await connect_own(box)
    made = await post(box)
    await box.http("ops").delete("/v1/customers/cust-1")

    edited = await post(box, scores={"nps": 9})
    without_customer = await post(box, customer=None)
    another = await post(box, "r2")

    assert edited == {"outcome": "ignored", "response_id": made["response_id"], "revision": 1}
    assert without_customer["outcome"] == "ignored"
    assert another == {"outcome": "ignored", "response_id": None, "revision": None}
    assert len(await box.published(SurveyResponse)) == 2


async def test_a_reference_never_seen_gets_a_receipt_and_stays_away(box: Box) -> None:
    await connect_own(box)

    receipt = await box.http("ops").delete("/v1/customers/anna%40example.org%2F7")
    late = await post(box, customer={"ref": "anna@example.org/7"})

    assert receipt.status_code == 202
    assert receipt.json()["responses"] == 0
    assert late["outcome"] == "ignored"


async def test_what_came_before_the_customer_was_named_is_erased_with_the_response(box: Box) -> None:
    await connect_own(box)
    await post(box, customer=None)
    await post(box)

    await box.http("ops").delete("/v1/customers/cust-1")

    async with box.db.begin() as session:
        assert await sql(session, "SELECT 1 FROM response WHERE wrapped_key IS NOT NULL") == []
        assert await sql(session, "SELECT 1 FROM revision WHERE raw IS NOT NULL") == []


async def test_an_edit_that_drops_the_customer_does_not_escape_erasure(box: Box) -> None:
    await connect_own(box)
    await post(box)
    await post(box, customer=None, updated_at="2026-03-01T09:00:00Z")

    receipt = await box.http("ops").delete("/v1/customers/cust-1")

    assert receipt.json()["responses"] == 1
    assert (await box.published(SurveyResponse))[-1].erased


async def test_a_response_that_went_to_another_customer_is_theirs_to_erase(box: Box) -> None:
    await connect_own(box)
    await post(box)
    made = await post(box, customer={"ref": "cust-2", "name": "Bram"}, updated_at="2026-03-01T09:00:00Z")

    receipt = await box.http("ops").delete("/v1/customers/cust-1")

    assert receipt.json()["responses"] == 0
    shown = (await box.http("ops").get(f"/v1/responses/{made['response_id']}")).json()
    assert shown["customer"]["name"] == "Bram"
    async with box.db.begin() as session:
        rows = await sql(session, "SELECT raw IS NULL FROM revision ORDER BY number")
    assert [row[0] for row in rows] == [True, False]


async def test_quarantined_bodies_of_others_are_left_alone(box: Box) -> None:
    await connect(box)
    await deliver(box, json.dumps(formbricks(data={"h_customer": "cust-10", "q_nps": 11})).encode())

    receipt = await box.http("ops").delete("/v1/customers/cust-1")

    assert receipt.json()["quarantined"] == 0
    assert len((await box.http("ops").get("/v1/quarantine")).json()["items"]) == 1


async def test_a_deleted_response_is_erased_as_well(box: Box) -> None:
    await connect_own(box)
    made = await post(box)
    await box.http("ops").delete(f"/v1/responses/{made['response_id']}")

    await box.http("ops").delete("/v1/customers/cust-1")

    last = (await box.published(SurveyResponse))[-1]
    assert (last.version, last.erased) == (3, True)


@pytest.mark.fault(20)
async def test_deliveries_that_race_with_the_erasure_leave_nothing_readable(box: Box) -> None:
    await connect_own(box)
    await post(box, "r0")

    answers, receipt = await asyncio.gather(
        asyncio.gather(*(post(box, f"r{n}") for n in range(40))),
        box.http("ops").delete("/v1/customers/cust-1"),
    )

    assert receipt.status_code == 202
    assert {answer["outcome"] for answer in answers} <= {"accepted", "duplicate", "ignored"}
    newest = {event.response_id: event for event in await box.published(SurveyResponse)}
    assert all(event.erased for event in newest.values())
    async with box.db.begin() as session:
        assert (
            await sql(session, "SELECT 1 FROM revision WHERE raw IS NOT NULL OR personal IS NOT NULL") == []
        )
