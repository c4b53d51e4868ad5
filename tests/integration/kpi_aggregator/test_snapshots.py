"""Frozen figures: proven by a hash, unchanged for ever, compared with today's facts."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import (
    answered,
    deliver_all,
    directory,
    figure,
    result,
    retracted,
    scores,
)
from tests.unit.kpi_aggregator.seven import SEVEN, person, took_part

from fairloop.db import sql
from fairloop.events import KpiSnapshot, OrgUnit
from fairloop.testing import Box

QUARTER = {"kpi": "nps", "period": {"from": "2026-01-01", "to": "2026-04-01"}}


async def freeze(box: Box) -> dict[str, Any]:
    answer = await box.http("service").post("/v1/snapshots", json=QUARTER)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def read(box: Box, snapshot: dict[str, Any], more: str = "") -> dict[str, Any]:
    answer = await box.http("service").get(f"/v1/snapshots/{snapshot['id']}{more}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def found(body: dict[str, Any], scope_type: str, scope_id: str, view: str = "influenced") -> dict[str, Any]:
    wanted = (scope_type, scope_id, view)
    (one,) = (f for f in body["figures"] if (f["scope_type"], f["scope_id"], f["view"]) == wanted)
    figure: dict[str, Any] = one
    return figure


async def twenty(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, [answered(number, nps) for number, nps in enumerate(scores(12, 5, 3), start=1)])


async def test_a_snapshot_holds_the_figures_as_they_are_read(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, SEVEN)

    head = await freeze(box)
    body = await read(box, head)

    assert {field: body[field] for field in head} == head
    assert body["period"] == QUARTER["period"]
    assert len(body["content_hash"]) == 64
    for scope_type, scope_id, view in (
        ("employee", "m1", "influenced"),
        ("org_unit", "north", "all"),
        ("cause", "quality", "all"),
    ):
        assert found(body, scope_type, scope_id, view) == await figure(box, f"{scope_type}/{scope_id}", view)
    assert found(body, "employee", "m2")["suppressed"]
    assert {f["scope_type"] for f in body["figures"]} == {"employee", "org_unit", "organisation", "cause"}


async def test_a_snapshot_names_every_contribution(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, SEVEN)

    contributions = (await read(box, await freeze(box)))["contributions"]

    assert [c["response_id"] for c in contributions] == [str(one.response_id) for one in SEVEN]
    second = contributions[1]
    assert (second["version"], second["day"], second["score"], second["category"]) == (
        1,
        "2026-02-02",
        3,
        "detractor",
    )
    assert second["entries"][1] == {
        "subject_type": "employee",
        "subject_id": "s1",
        "role": "scheduler",
        "cause": "speed",
        "org_unit": "planning",
        "share": "0.250000",
        "reason": "influenced",
    }
    assert second["participants"][0] == {
        "employee": "m1",
        "role": "mechanic",
        "org_unit": "north",
        "verified": True,
        "excluded": False,
    }


async def test_the_same_facts_give_the_same_hash_and_other_facts_another(box: Box) -> None:
    await twenty(box)
    first = await freeze(box)
    await deliver_all(box, [answered(1, 10, version=2)])
    second = await freeze(box)
    await deliver_all(box, [answered(1, 9, version=3)])
    third = await freeze(box)

    assert first["id"] != second["id"]
    assert first["content_hash"] == second["content_hash"] != third["content_hash"]


async def test_every_snapshot_is_announced_once(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)

    (event,) = await box.published(KpiSnapshot)

    assert (str(event.snapshot_id), event.content_hash, event.version) == (
        head["id"],
        head["content_hash"],
        1,
    )


async def test_positions_are_kept_beside_the_hash(box: Box) -> None:
    await twenty(box)
    before = await freeze(box)
    async with box.db.begin() as session:
        await sql(session, "INSERT INTO consumer_pos VALUES ('attribution.result.v1', 2, 41, 40)")

    after = await freeze(box)

    assert after["content_hash"] == before["content_hash"]
    assert (await read(box, after))["positions"] == {"attribution.result.v1": {"2": 40}}


@pytest.mark.fault(18)
async def test_a_snapshot_never_changes_whatever_happens_later(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)
    before = await read(box, head)

    await deliver_all(box, [answered(20, 9, version=2)])
    await box.deliver([retracted(result(answered(1, 10)), version=2)])
    await box.deliver([OrgUnit(version=2, org_unit="north", name="north", parent="supply")])
    await box.http("admin").put("/v1/kpi-settings/nps", json={"min_n": 1})

    assert await read(box, head) == before


async def test_corrections_list_what_changed_and_an_erasure_is_none(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)
    assert (await read(box, head, "/corrections"))["changed"] == []

    handed_over = replace(
        answered(19, 3, version=2),
        participants=(took_part("m2"),),
        entries=(person("m2", 1_000_000, "quality"),),
    )
    await deliver_all(box, [answered(20, 9, version=2), handed_over, answered(21, 10)])
    await deliver_all(box, [answered(2, 10, version=7)])
    await box.deliver(
        [
            retracted(result(answered(1, 10)), version=2),
            retracted(result(answered(18, 3)), version=2, deleted=True),
        ]
    )

    body = await read(box, head, "/corrections")

    assert body["snapshot"] == head["id"]
    kinds = {UUID(change["response_id"]).int: change["kind"] for change in body["changed"]}
    assert kinds == {18: "removed", 19: "reattributed", 20: "revised", 21: "added"}
    removed, _, revised, added = body["changed"]
    assert (removed["before"]["score"], removed["after"]) == (3, None)
    assert (revised["before"]["score"], revised["after"]["score"]) == (3, 9)
    assert (added["before"], added["after"]["category"]) == (None, "promoter")
    m1 = found(body, "employee", "m1")
    assert (m1["n"], m1["promoters"], m1["passives"], m1["detractors"]) == (19, 14, 5, 0)
    assert found(body, "organisation", "all", "all")["n"] == 20


async def test_the_storys_three_corrections_after_the_freeze(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)

    await deliver_all(box, [answered(20, 9, version=2)])
    await box.deliver([retracted(result(answered(1, 10)), version=2)])

    corrected = await read(box, head, "/corrections")
    assert found(corrected, "employee", "m1")["value"] == 55.0
    assert (await figure(box, "employee/m1"))["n"] == 19


async def test_a_tree_changed_since_corrects_nothing(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)

    await box.deliver([OrgUnit(version=2, org_unit="north", name="north", parent="supply")])

    body = await read(box, head, "/corrections")
    assert body["changed"] == []
    assert body["figures"] == (await read(box, head))["figures"]


async def test_freezing_while_responses_arrive_sees_one_moment(box: Box) -> None:
    await box.deliver(directory())
    batches = [
        [answered(100 * batch + i, 10, employee="m1") for i in range(20)]
        + [answered(100 * batch + 50 + i, 10, employee="m2") for i in range(20)]
        for batch in range(1, 9)
    ]

    async def arrive() -> None:
        for batch in batches:
            await deliver_all(box, batch)

    arriving = asyncio.create_task(arrive())
    heads = await asyncio.gather(*(freeze(box) for _ in range(3)))
    await arriving

    for head in heads:
        body = await read(box, head)
        m1, m2 = found(body, "employee", "m1"), found(body, "employee", "m2")
        assert m1["n"] == m2["n"]
        assert len(body["contributions"]) == 2 * (m1["n"] or 0)


async def test_bad_periods_and_unknown_snapshots(box: Box) -> None:
    empty = {"kpi": "nps", "period": {"from": "2026-01-01", "to": "2026-01-01"}}
    refused = await box.http("service").post("/v1/snapshots", json=empty)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/period/to"
    nowhere = await box.http("service").get(f"/v1/snapshots/{UUID(int=1)}")
    assert nowhere.status_code == 404
    assert (await box.http("manager").post("/v1/snapshots", json=QUARTER)).status_code == 403


async def test_frozen_figures_of_some_segments_and_their_corrections(box: Box) -> None:
    """Workshop: 10 promoters, 2 passives; van: 8 detractors. One van answer becomes a promoter's afterwards."""
    await box.deliver(directory())
    told = [answered(number, nps) for number, nps in enumerate(scores(10, 2, 8), start=1)]
    by_channel = [
        replace(one, segments={"channel": "workshop" if place < 12 else "van"})
        for place, one in enumerate(told)
    ]
    await deliver_all(box, by_channel)
    head = await freeze(box)

    workshop = await read(box, head, "/figures?segment=channel:workshop")
    assert [found(workshop, "employee", "m1")[field] for field in ("n", "value")] == [12, 83.3]
    no_van = await read(box, head, "/figures?without=channel:van")
    assert no_van["figures"] == workshop["figures"]
    either = await read(box, head, "/figures?segment=channel:workshop&segment=channel:van")
    assert found(either, "employee", "m1") == found(await read(box, head), "employee", "m1")
    nobody = await read(box, head, "/figures?segment=channel:workshop&segment=weekday:monday")
    assert found(nobody, "organisation", "all")["suppressed"]

    await deliver_all(box, [replace(by_channel[12], scores={"nps": 9}, version=2)])
    van = await read(box, head, "/corrections?segment=channel:van")
    assert [found(van, "employee", "m1")[field] for field in ("promoters", "detractors")] == [1, 7]
    frozen_van = await read(box, head, "/figures?segment=channel:van")
    assert found(frozen_van, "employee", "m1")["detractors"] == 8
    untouched = await read(box, head, "/corrections?segment=channel:workshop")
    assert untouched["figures"] == workshop["figures"]


async def test_a_segment_that_is_none_is_refused(box: Box) -> None:
    await twenty(box)
    head = await freeze(box)
    answer = await box.http("service").get(f"/v1/snapshots/{head['id']}/figures?segment=workshop")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/segment/0"
