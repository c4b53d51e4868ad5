"""A changed rule or interaction is a higher version of every result it changes, and of no other."""

from tests.integration.attribution.company import (
    TAXONOMY,
    assignment,
    job,
    ledger,
    matrix,
    post,
    put,
    response,
    set_up,
    shares,
)

from attribution.service.attribute import Moment
from attribution.service.reattribution import step
from fairloop.events import AttributionResult
from fairloop.testing import Box


async def test_a_corrected_interaction_corrects_its_responses(box: Box) -> None:
    admin = await set_up(box)
    first = await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1")
    await box.deliver([event])
    again = await post(admin, "/v1/interactions", job("j1", "m1"))
    corrected = await post(admin, "/v1/interactions", job("j1", "m2"))
    assert [one["outcome"] for one in (first, again, corrected)] == ["accepted", "duplicate", "corrected"]
    found = await ledger(admin, event.response_id)
    assert (found["version"], shares(found)) == (2, {"m2": "1.000000"})


async def test_a_new_matrix_version_concerns_the_interactions_since_then(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("before", "m1", at="2026-02-28T10:00:00Z"))
    await post(admin, "/v1/interactions", job("since", "m1", at="2026-03-01T00:00:00Z"))
    old, new = response("quality", ref="before"), response("quality", ref="since")
    await box.deliver([old, new])
    put_again = await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-03-01", quality="0.4"))
    assert put_again["versions"] == ["2026-01-01", "2026-03-01"]

    assert (await ledger(admin, old.response_id))["version"] == 1
    found = await ledger(admin, new.response_id)
    assert (found["version"], found["matrix_version"]) == (2, "2026-03-01")
    assert shares(found) == {"m1": "0.400000", "all": "0.600000"}


async def test_a_corrected_matrix_cell_concerns_only_what_it_changes(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    quality, speed = response("quality", ref="j1"), response("speed", ref="j1")
    await box.deliver([quality, speed])
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01", quality="0.5"))
    assert (await ledger(admin, quality.response_id))["version"] == 2
    assert (await ledger(admin, speed.response_id))["version"] == 1


async def test_the_day_of_an_interaction_is_the_organisations(box: Box) -> None:
    """In UTC, where this service runs here, 23:30 of the day before is not yet the matrix's first day."""
    admin = await set_up(box)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-03-01", quality="0.4"))
    await post(admin, "/v1/interactions", job("j1", "m1", at="2026-03-01T00:30:00+01:00"))
    event = response("quality", ref="j1")
    await box.deliver([event])
    assert (await ledger(admin, event.response_id))["matrix_version"] == "2026-01-01"


async def test_a_changed_assignment_moves_the_share_to_another_unit(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1")
    await box.deliver([event])
    await put(admin, "/v1/assignments/m1-mechanic", assignment("m1", "mechanic", "south"))
    found = await ledger(admin, event.response_id)
    assert found["version"] == 2
    assert {entry["org_unit"] for entry in found["entries"]} == {"south"}

    await put(admin, "/v1/assignments/m1-mechanic", assignment("m1", "mechanic", "south", ends="2027-01-01"))
    assert (await ledger(admin, event.response_id))["version"] == 2


async def test_a_changed_process_owner_gets_what_nobody_could_influence(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("right_window", ref="j1")
    await box.deliver([event])
    causes = [
        dict(
            TAXONOMY["causes"][0], children=[{"id": "right_window", "name": "x", "process_owner": "planning"}]
        )
    ]
    await put(admin, "/v1/taxonomies/windscreen", {"causes": causes})
    found = await ledger(admin, event.response_id)
    assert (found["version"], shares(found)) == (2, {"planning": "1.000000"})


async def test_an_equal_put_changes_and_publishes_nothing(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    await box.deliver([response("quality", ref="j1")])
    await put(admin, "/v1/taxonomies/windscreen", TAXONOMY)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01"))
    await put(admin, "/v1/assignments/m1-mechanic", assignment("m1", "mechanic", "north"))
    assert len(await box.published(AttributionResult)) == 1


async def test_many_responses_are_attributed_again_a_piece_at_a_time(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    await box.deliver([response("quality", ref="j1") for _ in range(1200)])
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01", quality="0.5"))
    assert len(await box.published(AttributionResult)) == 1200 + 500

    pieces = 0
    async with box.db.begin() as session:
        while await step(session, at=Moment(box.clock(), box.runtime.settings.zone)):
            pieces += 1
    assert pieces == 2
    results = await box.published(AttributionResult)
    assert len(results) == 2400
    newest = {result.response_id: result for result in results}
    assert {(r.version, r.entries[0].share) for r in newest.values()} == {(2, 500_000)}


async def test_a_batch_of_interactions_keeps_the_good_ones(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", ref="j1")
    await box.deliver([event])
    items = [
        job("j1", "m1"),
        job("j2", "m1") | {"occurred_at": "yesterday"},
        job("j1", "m1"),
        job("j1", "m2"),
        "nonsense",
    ]
    answer = await post(admin, "/v1/interactions", {"interactions": items})
    assert [(one["index"], one["id"], one["outcome"]) for one in answer["outcomes"]] == [
        (0, "j1", "accepted"),
        (1, "j2", "rejected"),
        (2, "j1", "duplicate"),
        (3, "j1", "corrected"),
        (4, None, "rejected"),
    ]
    assert answer["outcomes"][1]["errors"][0]["pointer"] == "/body/interactions/1/occurred_at"
    assert shares(await ledger(admin, event.response_id)) == {"m2": "1.000000"}


async def test_a_single_bad_interaction_is_refused_with_pointers(box: Box) -> None:
    admin = box.http("admin")
    bad = job("j1", "m1", "m1") | {"customer_ref": "", "touchpoint": "a\u0000b"}
    answer = await admin.post("/v1/interactions", json=bad)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/body/customer_ref",
        "/body/participants",
        "/body/touchpoint",
    }
    too_many = {"interactions": [job(f"j{n}") for n in range(1001)]}
    assert (await admin.post("/v1/interactions", json=too_many)).status_code == 422


async def test_the_customers_reference_is_never_stored(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1", customer="jane@example.org"))
    await put(admin, "/v1/accounts/jane@example.org", {"owner": "m1"})
    held = (await admin.get("/v1/interactions/j1")).json()
    account = (await admin.get("/v1/accounts/jane@example.org")).json()
    assert held["customer"] == account["customer"]
    assert "jane" not in str(held) + str((await admin.get("/v1/accounts")).json())
