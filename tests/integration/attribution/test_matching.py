"""Which interaction a response belongs to, when it is verified, and matching by hand."""

from uuid import UUID, uuid4

from sqlalchemy import select
from tests.integration.attribution.company import job, ledger, post, reasons, response, set_up, shares

from attribution.tables import ResultRow
from fairloop.events import AttributionResult
from fairloop.testing import Box

ALL = {"all": "1.000000"}


async def test_a_late_interaction_is_a_second_version(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", ref="late")
    await box.deliver([event])
    before = await ledger(admin, event.response_id)
    assert (before["status"], before["version"], shares(before)) == ("pending", 1, ALL)
    assert len((await admin.get("/v1/unmatched")).json()["items"]) == 1

    await post(admin, "/v1/interactions", job("late", "m1"))
    after = await ledger(admin, event.response_id)
    assert (after["status"], after["version"], shares(after)) == ("matched", 2, {"m1": "1.000000"})
    assert (await admin.get("/v1/unmatched")).json()["items"] == []
    assert [r.version for r in await box.published(AttributionResult)] == [1, 2]


async def test_another_customer_is_matched_but_not_verified(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1", customer="somebody else"))
    event = response("quality", ref="j1")
    await box.deliver([event])
    found = await ledger(admin, event.response_id)
    assert (found["status"], found["verified"], shares(found)) == ("matched", False, ALL)
    assert reasons(found, "m1") == {"unverified"}


async def test_a_signed_link_verifies_whatever_the_customer(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1", customer=None, signed=True)
    await box.deliver([event])
    assert shares(await ledger(admin, event.response_id)) == {"m1": "1.000000"}


async def test_a_relationship_survey_never_waits_for_an_interaction(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", survey_type="relationship")
    await box.deliver([event])
    found = await ledger(admin, event.response_id)
    assert (found["status"], shares(found)) == ("relationship", ALL)
    assert (await admin.get("/v1/unmatched")).json()["items"] == []


async def test_matching_by_hand_survives_a_revision(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality")
    await box.deliver([event])
    matched = await post(admin, f"/v1/unmatched/{event.response_id}/resolve", {"interaction": "j1"})
    assert (matched["status"], matched["version"], shares(matched)) == ("matched", 2, {"m1": "1.000000"})

    await box.deliver([response("right_window", id=event.response_id, version=2)])
    found = await ledger(admin, event.response_id)
    assert (found["status"], found["version"], shares(found)) == ("matched", 3, {"supply": "1.000000"})


async def test_matching_by_hand_does_not_stand_in_for_the_customer(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="typo", customer=None, signed=True)
    await box.deliver([event])
    matched = await post(admin, f"/v1/unmatched/{event.response_id}/resolve", {"interaction": "j1"})
    assert (matched["verified"], shares(matched)) == (False, ALL)


async def test_matching_by_hand_refuses_what_cannot_be(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event, done = response("quality"), response("quality", ref="j1")
    await box.deliver([event, done])

    async def resolve(response_id: UUID, interaction: str) -> int:
        body = {"interaction": interaction}
        return (await admin.post(f"/v1/unmatched/{response_id}/resolve", json=body)).status_code

    assert await resolve(event.response_id, "unknown") == 422
    assert await resolve(done.response_id, "j1") == 409
    assert await resolve(uuid4(), "j1") == 404
    assert await resolve(event.response_id, "j1") == 200
    assert await resolve(event.response_id, "j1") == 200  # the same decision again changes nothing


async def test_a_version_held_or_passed_changes_nothing(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    newer = response("quality", ref="j1", version=2)
    older = response("right_window", ref="j1", id=newer.response_id, version=1)
    await box.deliver([newer, older])
    await box.deliver([older])
    await box.deliver([newer])
    assert len(await box.published(AttributionResult)) == 1
    assert shares(await ledger(admin, newer.response_id)) == {"m1": "1.000000"}


async def test_a_revision_may_name_another_interaction(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", {"interactions": [job("j1", "m1"), job("j2", "m2")]})
    event = response("quality", ref="j1")
    await box.deliver([event])
    await box.deliver([response("quality", ref="j2", id=event.response_id, version=2)])
    assert shares(await ledger(admin, event.response_id)) == {"m2": "1.000000"}


async def test_an_erased_response_keeps_nothing_of_the_customer(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1", nps=3)
    await box.deliver([event])
    claim = {
        "response_id": str(event.response_id),
        "employee": "m1",
        "kind": "other",
        "reason": "Mr Smith said…",
    }
    dispute = await post(admin, "/v1/disputes", claim)
    await box.deliver([response(id=event.response_id, ref="j1", version=2, erased=True)])

    found = await ledger(admin, event.response_id)
    assert (found["status"], found["entries"], found["system_share"]) == ("erased", [], "0.000000")
    last = (await box.published(AttributionResult))[-1]
    assert (last.status, last.version, last.customer, last.participants) == ("erased", 2, None, ())
    assert (await admin.get(f"/v1/disputes/{dispute['id']}")).json()["reason"] == ""
    async with box.db.begin() as session:
        payloads = (await session.scalars(select(ResultRow.payload))).all()
    assert [payload.get("customer") for payload in payloads] == [None, None]
    assert all(payload["response"]["scores"].get("nps") is None for payload in payloads)


async def test_a_deleted_response_is_retracted(box: Box) -> None:
    await set_up(box)
    event = response("quality", ref="j1")
    await box.deliver([event])
    await box.deliver([response(id=event.response_id, version=2, deleted=True)])
    last = (await box.published(AttributionResult))[-1]
    assert (last.status, last.deleted, last.entries) == ("erased", True, ())


async def test_history_gives_every_version(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", ref="j1")
    await box.deliver([event])
    await post(admin, "/v1/interactions", job("j1", "m1"))
    found = (await admin.get(f"/v1/attributions/{event.response_id}?history=true")).json()
    assert found["version"] == 2
    assert [(one["version"], one["status"]) for one in found["items"]] == [(1, "pending"), (2, "matched")]
    assert "items" not in await ledger(admin, event.response_id)


async def test_an_unknown_response_has_no_attribution(box: Box) -> None:
    assert (await box.http("admin").get(f"/v1/attributions/{uuid4()}")).status_code == 404
