"""R1–R7 through the service: the interaction by the API, the response by the handler, the ledger by the API."""

import pytest
from tests.integration.attribution.company import job, ledger, post, reasons, response, set_up, shares

from fairloop.events import AttributionResult
from fairloop.testing import Box

R = [
    ("R1", 10, ["quality"], ["m1", "m2"], [], {"m1": "0.500000", "m2": "0.500000"}, "0.000000"),
    (
        "R2",
        2,
        ["speed"],
        ["m1", "s1"],
        [],
        {"m1": "0.500000", "s1": "0.250000", "planning": "0.250000"},
        "0.250000",
    ),
    ("R3", 3, ["quality", "right_window"], ["m1"], [], {"m1": "0.500000", "supply": "0.500000"}, "0.500000"),
    ("R4", 10, [], ["m1"], [], {"all": "1.000000"}, "0.000000"),
    ("R5", 1, ["quality"], ["m1", "m2"], ["m2"], {"m1": "0.500000", "all": "0.500000"}, "0.000000"),
    ("R6", 7, ["quality"], ["m1"], [], {"m1": "1.000000"}, "0.000000"),
]


@pytest.mark.parametrize(
    ("name", "nps", "causes", "people", "unverified", "expected", "system"), R, ids=[r[0] for r in R]
)
async def test_the_ledger_of_the_vectors(
    box: Box,
    name: str,
    nps: int,
    causes: list[str],
    people: list[str],
    unverified: list[str],
    expected: dict[str, str],
    system: str,
) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job(name, *people, unverified=unverified))
    event = response(*causes, ref=name, nps=nps)
    await box.deliver([event])
    found = await ledger(admin, event.response_id)
    assert (found["status"], found["version"], found["verified"]) == ("matched", 1, True)
    assert (found["interaction"], found["matrix_version"]) == (name, "2026-01-01")
    assert shares(found) == expected
    assert found["system_share"] == system
    for who in unverified:
        assert reasons(found, who) == {"unverified"}
    assert {entry["evidence"] for entry in found["entries"]} == {name}


async def test_r7_an_unmatched_response_is_the_organisations_and_waits_in_the_queue(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", nps=0)
    await box.deliver([event])
    found = await ledger(admin, event.response_id)
    assert (found["status"], shares(found)) == ("unmatched", {"all": "1.000000"})
    queue = (await admin.get("/v1/unmatched")).json()["items"]
    assert [item["response_id"] for item in queue] == [str(event.response_id)]


async def test_the_event_carries_the_response_and_the_units_of_its_people(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1", "s1"))
    event = response("speed", ref="j1", nps=2)
    await box.deliver([event])
    (result,) = await box.published(AttributionResult)
    assert result.response == event.facts
    assert result.response_version == 1
    assert result.interaction is not None
    assert (result.interaction.id, result.interaction.org_unit) == ("j1", "north")
    assert [(p.employee, p.org_unit) for p in result.participants] == [("m1", "north"), ("s1", "planning")]
    assert [(e.subject_id, e.share, e.org_unit) for e in result.entries] == [
        ("m1", 500_000, "north"),
        ("s1", 250_000, "planning"),
        ("planning", 250_000, None),
    ]
    assert result.rule_version
