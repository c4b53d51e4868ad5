"""Disputes: what an upheld one changes, who may file and who may decide."""

from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.integration.attribution.company import job, ledger, post, reasons, response, set_up, shares

from fairloop.events import AttributionResult, SurveyResponse
from fairloop.testing import Box


async def _matched(box: Box, *people: str) -> tuple[httpx.AsyncClient, SurveyResponse]:
    """A matched detractor about quality with these participants."""
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", *people))
    event = response("quality", ref="j1", nps=2)
    await box.deliver([event])
    return admin, event


def _claim(response_id: UUID, kind: str, employee: str = "m1") -> dict[str, Any]:
    return {"response_id": str(response_id), "employee": employee, "kind": kind, "reason": "I was not there"}


async def _uphold(admin: httpx.AsyncClient, dispute: Any, **more: Any) -> Any:
    body = {"uphold": True, "reason": "checked", **more}
    return await post(admin, f"/v1/disputes/{dispute['id']}/decide", body)


async def test_not_my_customer_takes_the_response_out_of_the_persons_views(box: Box) -> None:
    admin, event = await _matched(box, "m1", "m2")
    dispute = await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_customer"))
    assert dispute["status"] == "open"
    assert (await ledger(admin, event.response_id))["version"] == 1

    decided = await _uphold(admin, dispute)
    assert (decided["status"], decided["decision_reason"]) == ("upheld", "checked")
    found = await ledger(admin, event.response_id)
    assert (found["version"], shares(found)) == (2, {"m2": "1.000000"})
    assert reasons(found, "m1") == {"excluded_by_dispute"}
    assert [(p["employee"], p["excluded"]) for p in found["participants"]] == [("m1", True), ("m2", False)]
    assert [r.version for r in await box.published(AttributionResult)] == [1, 2]


async def test_not_my_cause_moves_the_share_to_the_organisation(box: Box) -> None:
    admin, event = await _matched(box, "m1", "m2")
    await _uphold(admin, await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_cause")))
    found = await ledger(admin, event.response_id)
    assert shares(found) == {"m2": "0.500000", "all": "0.500000"}
    assert [p["excluded"] for p in found["participants"]] == [False, False]


async def test_wrong_interaction_is_matched_with_the_right_one(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    await post(admin, "/v1/interactions", job("j2", "m2"))
    dispute = await post(admin, "/v1/disputes", _claim(event.response_id, "wrong_interaction"))
    body = {"uphold": True, "reason": "r", "corrected_interaction": "unknown"}
    refused = await admin.post(f"/v1/disputes/{dispute['id']}/decide", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (
        422,
        "/body/corrected_interaction",
    )

    decided = await _uphold(admin, dispute, corrected_interaction="j2")
    assert decided["corrected_interaction"] == "j2"
    found = await ledger(admin, event.response_id)
    assert (found["interaction"], shares(found)) == ("j2", {"m2": "1.000000"})


async def test_wrong_interaction_without_the_right_one_waits_in_the_queue(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    await _uphold(admin, await post(admin, "/v1/disputes", _claim(event.response_id, "wrong_interaction")))
    found = await ledger(admin, event.response_id)
    assert (found["status"], shares(found)) == ("unmatched", {"all": "1.000000"})
    assert len((await admin.get("/v1/unmatched")).json()["items"]) == 1


async def test_a_rejected_or_other_dispute_changes_no_ledger(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    rejected = await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_customer"))
    await post(admin, f"/v1/disputes/{rejected['id']}/decide", {"uphold": False, "reason": "was there"})
    await _uphold(admin, await post(admin, "/v1/disputes", _claim(event.response_id, "other")))
    assert (await ledger(admin, event.response_id))["version"] == 1


async def test_a_dispute_is_decided_once(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    dispute = await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_cause"))
    await _uphold(admin, dispute)
    again = await admin.post(f"/v1/disputes/{dispute['id']}/decide", json={"uphold": False, "reason": "no"})
    assert again.status_code == 409


async def test_the_same_claim_is_open_once(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_cause"))
    again = await admin.post("/v1/disputes", json=_claim(event.response_id, "not_my_cause"))
    assert again.status_code == 409


async def test_nobody_decides_their_own_dispute(box: Box) -> None:
    _, event = await _matched(box, "m1")
    mechanic = box.http("employee", employee_id="m1")
    dispute = await post(mechanic, "/v1/disputes", _claim(event.response_id, "not_my_cause"))
    for client in (
        box.http("manager", "employee", employee_id="m1", org_units=["north"]),
        box.http("admin", sub="m1"),  # the login the dispute was filed with
    ):
        answer = await client.post(
            f"/v1/disputes/{dispute['id']}/decide", json={"uphold": True, "reason": "r"}
        )
        assert answer.status_code == 403
    boss = box.http("manager", employee_id="boss", org_units=["north"])
    assert (await _uphold(boss, dispute))["decided_by"] == "boss"


async def test_people_dispute_for_themselves_and_managers_for_their_people(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    claim = _claim(event.response_id, "not_my_cause")

    async def file(*roles: str, **who: Any) -> int:
        return (await box.http(*roles, **who).post("/v1/disputes", json=claim)).status_code

    assert await file("employee", employee_id="m2") == 404
    assert await file("manager", employee_id="x", org_units=["supply"]) == 404
    assert await file("works_council") == 403
    assert await file("manager", employee_id="boss", org_units=["company"]) == 201
    not_there = await admin.post("/v1/disputes", json=_claim(event.response_id, "other", employee="s1"))
    assert (not_there.status_code, not_there.json()["errors"][0]["pointer"]) == (422, "/body/employee")
    assert (await admin.post("/v1/disputes", json=_claim(uuid4(), "other"))).status_code == 404


async def test_disputes_are_read_by_the_works_council_and_by_those_concerned(box: Box) -> None:
    admin, event = await _matched(box, "m1", "m2")
    dispute = await post(admin, "/v1/disputes", _claim(event.response_id, "not_my_cause"))

    async def seen(*roles: str, **who: Any) -> int:
        client = box.http(*roles, **who)
        one = await client.get(f"/v1/disputes/{dispute['id']}")
        listed = (await client.get("/v1/disputes?status=open")).json()["items"]
        assert (one.status_code == 200) == (len(listed) == 1)
        return one.status_code

    assert await seen("works_council") == 200
    assert await seen("employee", employee_id="m1") == 200
    assert await seen("employee", employee_id="m2") == 404
    assert await seen("manager", employee_id="x", org_units=["supply"]) == 404


async def test_an_erased_response_cannot_be_disputed(box: Box) -> None:
    admin, event = await _matched(box, "m1")
    await box.deliver([response(id=event.response_id, version=2, erased=True)])
    answer = await admin.post("/v1/disputes", json=_claim(event.response_id, "other"))
    assert answer.status_code == 409
