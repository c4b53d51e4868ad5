"""Attributions, the directory and the facts they rest on, lost after the backup."""

from tests.integration.attribution.company import TAXONOMY, job, matrix, post, put, response, set_up
from tests.integration.repair.dumps import dump, finish, newest, put_back, states, take, told

from fairloop.db import sql
from fairloop.events import AttributionResult, Interaction
from fairloop.testing import Box


async def test_what_was_published_is_in_force_again(attributing: Box) -> None:
    admin = await set_up(attributing)
    one, two = response("quality", ref="job-1"), response("speed", ref="job-2")
    await attributing.deliver([one])
    await dump(attributing)
    await put(admin, "/v1/employees/newcomer", {"name": "Nadia", "manager": "boss"})
    await put(admin, "/v1/org-units/north", {"name": "North", "parent": "planning"})
    await post(admin, "/v1/interactions", job("job-1", "m1", "m2"))
    await post(admin, "/v1/interactions", job("job-2", "m1", "s1", unverified=["s1"]))
    await attributing.deliver([two])
    claim = {"response_id": str(one.response_id), "employee": "m1", "kind": "not_my_cause", "reason": "no"}
    filed = await post(admin, "/v1/disputes", claim)
    await post(admin, f"/v1/disputes/{filed['id']}/decide", {"uphold": True, "reason": "seen"})
    before = await states(attributing)

    log = await put_back(attributing)
    await attributing.deliver([one, two])  # as the consumer does: it reads again from its older position
    assert (await take(attributing, log)).changed
    assert await states(attributing) == before == newest(log)
    assert (await take(attributing, log)).changed == 0
    (lost,) = await finish(attributing)  # every attribution can be made again from what is held
    assert "newcomer" in lost
    held = (await admin.get("/v1/disputes")).json()["items"]
    assert [(one["employee"], one["status"]) for one in held] == [("m1", "upheld")]


async def test_an_answer_edited_since_is_attributed_by_the_recovered_interaction(attributing: Box) -> None:
    admin = await set_up(attributing)
    first = response("quality", ref="job-1")
    await dump(attributing)
    await attributing.deliver([first])
    await post(admin, "/v1/interactions", job("job-1", "m1"))
    log = await put_back(attributing)

    edited = response("speed", ref="job-1", id=first.response_id, version=2)
    await attributing.deliver([first])
    await attributing.deliver([edited])
    await take(attributing, log)
    held = (await states(attributing))[first.key]
    assert isinstance(held, AttributionResult)
    assert (held.status, held.response_version) == ("matched", 2)
    assert held.version > newest(log)[first.key].version
    assert newest([*log, *await told(attributing)])[first.key] == held


async def test_rules_that_are_lost_are_named_and_change_nothing(attributing: Box) -> None:
    admin = await set_up(attributing)
    one = response("quality", ref="job-1")
    await post(admin, "/v1/interactions", job("job-1", "m1"))
    await dump(attributing)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-02-01", quality="0.5"))
    await attributing.deliver([one])
    log = await put_back(attributing)

    await attributing.deliver([one])
    await take(attributing, log)
    held = (await states(attributing))[one.key]
    assert isinstance(held, AttributionResult)
    assert [entry.share for entry in held.entries if entry.subject_id == "m1"] == [500_000]
    (lost,) = await finish(attributing)
    assert "1 attributions" in lost
    assert one.key in lost
    await put(admin, "/v1/taxonomies/windscreen", TAXONOMY)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-02-01", quality="0.5"))
    assert await finish(attributing) == []
    assert (await states(attributing))[one.key] == held


async def test_nothing_of_an_erased_answer_comes_back(attributing: Box) -> None:
    await set_up(attributing)
    one = response("quality", ref="job-1", nps=3)
    await dump(attributing)
    erased = response(id=one.response_id, version=2, erased=True)
    await attributing.deliver([one])
    await attributing.deliver([erased])
    log = await put_back(attributing)
    await attributing.deliver([one, erased])
    await take(attributing, log)
    async with attributing.db.begin() as session:
        payloads = await sql(session, "SELECT payload->'response'->'causes' FROM result")
    assert payloads
    assert all(row[0] in (None, []) for row in payloads)
    assert newest([*log, *await told(attributing)])[one.key] == (await states(attributing))[one.key]


async def test_interactions_are_again_what_the_log_tells_with_their_attributes(attributing: Box) -> None:
    admin = await set_up(attributing)
    await post(admin, "/v1/interactions", job("job-1", "m1"))
    await dump(attributing)
    await post(admin, "/v1/interactions", job("job-1", "m1", "m2") | {"attributes": {"window": "rear"}})
    await post(admin, "/v1/interactions", job("job-2", "s1"))
    before = await states(attributing)
    log = await put_back(attributing)
    assert (await take(attributing, log)).changed == 2
    assert await states(attributing) == before == newest(log)
    assert (await take(attributing, log)).changed == 0


async def test_an_interaction_corrected_since_the_restore_stays_above_the_logs_version(
    attributing: Box,
) -> None:
    admin = await set_up(attributing)
    await post(admin, "/v1/interactions", job("job-1", "m1"))
    await dump(attributing)
    await post(admin, "/v1/interactions", job("job-1", "m2"))
    log = await put_back(attributing)
    await post(admin, "/v1/interactions", job("job-1", "s1"))
    await take(attributing, log)
    held = (await states(attributing))["job-1"]
    assert isinstance(held, Interaction)
    assert (held.version, [one.employee for one in held.participants]) == (3, ["s1"])
    assert newest([*log, *await told(attributing)])["job-1"] == held
