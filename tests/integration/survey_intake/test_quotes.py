"""Customers' words leave only for the service that shares wins, and only while they may be quoted."""

from typing import Any

from tests.integration.survey_intake.platform import connect_own, own

from fairloop.testing import Box


async def post(box: Box, external_id: str, **changes: Any) -> str:
    answer = await box.http("service").post("/v1/responses", json=own(external_id, **changes))
    return str(answer.json()["response_id"])


async def quoted(box: Box, *ids: str) -> dict[str, str]:
    answer = await box.http("service").get("/v1/quotes", params={"response_id": list(ids)})
    assert answer.status_code == 200, answer.text
    return {item["response_id"]: item["quote"] for item in answer.json()["items"]}


async def test_only_comments_that_may_be_quoted_are_told(box: Box) -> None:
    await connect_own(box)
    yes = await post(box, "yes", consent={"quote": True})
    no = await post(box, "no", consent={"quote": False})
    silent = await post(box, "silent")
    wordless = await post(box, "wordless", consent={"quote": True}, comment=None)
    assert await quoted(box, yes, no, silent, wordless) == {yes: "The car came back dirty."}


async def test_the_newest_revision_decides_and_nothing_is_told_after_deletion_or_erasure(box: Box) -> None:
    await connect_own(box)
    taken_back, deleted, erased = [
        await post(box, name, consent={"quote": True}, customer={"ref": f"cust-{name}"})
        for name in ("taken-back", "deleted", "erased")
    ]
    assert len(await quoted(box, taken_back, deleted, erased)) == 3
    later = {"consent": {"quote": False}, "updated_at": "2026-03-01T09:00:00Z"}
    await post(box, "taken-back", customer={"ref": "cust-taken-back"}, **later)
    await box.http("admin").delete(f"/v1/responses/{deleted}")
    await box.http("admin").delete("/v1/customers/cust-erased")
    assert await quoted(box, taken_back, deleted, erased) == {}


async def test_nobody_else_asks(box: Box) -> None:
    for role in ("admin", "ops", "manager", "employee", "works_council"):
        answer = await box.http(role).get("/v1/quotes", params={"response_id": str(box.service.name)})
        assert answer.status_code == 403
