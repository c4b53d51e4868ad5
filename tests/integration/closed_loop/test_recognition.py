"""Wins and thanks: who is in the feed, who sees it, and what takes a line back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.integration.closed_loop.outside import HttpServer, OtherServices, http_server
from tests.integration.closed_loop.world import DIRECTORY, M1, SUPPLY, answer, do, only_case

from closed_loop.main import service
from fairloop.embedded import PostgresServer
from fairloop.events import AttributionResult, Employee
from fairloop.testing import Box, running

PRAISED = msgspec.structs.replace(M1, cause="quality", org_unit="north")


@pytest.fixture
def others() -> OtherServices:
    return OtherServices()


@pytest.fixture
async def peers(others: OtherServices) -> AsyncIterator[HttpServer]:
    async with http_server(others) as server:
        yield server


@pytest.fixture
async def box(postgres: PostgresServer, peers: HttpServer) -> AsyncIterator[Box]:
    urls = dict.fromkeys(("survey-intake", "attribution", "kpi-aggregator"), peers.url)
    async with running(service, postgres, env={"peer_urls": urls, "service_token": "t"}) as started:
        await started.deliver(DIRECTORY)
        yield started


def promoter(number: int = 1, *, version: int = 1, nps: int = 9, **fields: Any) -> AttributionResult:
    return answer(number, nps, version=version, entry=PRAISED, **fields)


async def feed(box: Box, **asked: str) -> list[dict[str, Any]]:
    answered = await box.http("admin").get("/v1/recognitions", params=asked)
    assert answered.status_code == 200, answered.text
    items: list[dict[str, Any]] = answered.json()["items"]
    return items


async def seen(box: Box, *role: str, employee: str, units: tuple[str, ...] = ()) -> list[str]:
    client = box.http(*role, employee_id=employee, org_units=units)
    return [item["to"] for item in (await client.get("/v1/recognitions")).json()["items"]]


async def thank(box: Box, giver: str = "sam", **body: Any) -> Any:
    given = {"to": "m1", "text": "You stayed late for me.", **body}
    return await box.http("employee", employee_id=giver).post("/v1/recognitions", json=given)


async def won_back(box: Box) -> dict[str, Any]:
    """A detractor's case that is settled, and a promoter's answer of the same customer a day later."""
    await box.deliver([answer(1, 2)])
    case = await only_case(box)
    await do(box, case, "acknowledge")
    await do(box, case, "resolve", root_cause="late", promised="new date", outcome="done")
    box.clock.advance(timedelta(days=1))
    later = answer(2, 10, entry=SUPPLY)
    facts = msgspec.structs.replace(later.response, submitted_at=box.clock())
    await box.deliver([msgspec.structs.replace(later, response=facts)])
    return case


async def test_a_promoter_who_praises_a_cause_is_a_win_of_who_influenced_it(box: Box) -> None:
    await box.deliver([promoter(), answer(2, 10, entry=SUPPLY), answer(3, 8, entry=PRAISED)])
    (win,) = await feed(box)
    assert (win["kind"], win["to"], win["cause"], win["org_unit"]) == ("promoter", "m1", "quality", "north")


@pytest.mark.parametrize(
    "correction",
    [promoter(version=2, nps=6), promoter(version=2, erased=True), answer(1, 9, version=2, entry=SUPPLY)],
    ids=["re-rated", "erased", "another's cause"],
)
async def test_a_correction_takes_a_win_back_and_what_is_late_does_not_bring_it_again(
    box: Box, correction: AttributionResult
) -> None:
    await box.deliver([promoter()])
    assert len(await feed(box)) == 1
    await box.deliver([correction])
    assert await feed(box) == []
    await box.deliver([promoter()])
    assert await feed(box) == []


async def test_repeats_and_batches_make_no_second_line(box: Box) -> None:
    await box.deliver([promoter()])
    await box.deliver([promoter(), promoter(version=2), promoter(version=2)])
    assert len(await feed(box)) == 1


async def test_a_customer_won_back_is_the_win_of_who_took_care(box: Box) -> None:
    case = await won_back(box)
    (win,) = await feed(box)
    assert (win["kind"], win["to"], win["case_id"]) == ("recovered", case["owner"], case["id"])


async def test_a_case_resolved_as_recovered_is_a_win_at_once_until_it_is_reopened(box: Box) -> None:
    await box.deliver([answer(1, 2)])
    case = await only_case(box)
    await do(box, case, "acknowledge")
    done = {"root_cause": "late", "promised": "new date", "outcome": "done"}
    await do(box, case, "resolve", result="recovered", **done)
    (win,) = await feed(box)
    assert (win["kind"], win["to"], win["case_id"], win["quote"]) == (
        "recovered",
        case["owner"],
        case["id"],
        None,
    )
    await do(box, case, "reopen")
    assert await feed(box) == []
    await do(box, case, "resolve", result="churn_risk", **done)
    assert await feed(box) == []


async def test_a_case_that_is_open_again_has_won_nobody_back(box: Box) -> None:
    case = await won_back(box)
    await do(box, case, "reopen")
    assert await feed(box) == []


async def test_when_the_complaint_is_erased_nothing_tells_of_the_customer(box: Box) -> None:
    await won_back(box)
    await box.deliver([answer(1, version=2, erased=True)])
    assert await feed(box) == []


async def test_the_promoters_words_are_there_only_with_consent_and_never_kept(
    box: Box, others: OtherServices
) -> None:
    await box.deliver([promoter(1), promoter(2)])
    others.quotes = {str(promoter(1).response_id): "Mila was wonderful <3"}
    quoted = {item["response_id"]: item["quote"] for item in await feed(box)}
    assert quoted == {
        str(promoter(1).response_id): "Mila was wonderful <3",
        str(promoter(2).response_id): None,
    }
    others.quotes = {}  # consent taken back
    assert {item["quote"] for item in await feed(box)} == {None}


async def test_without_survey_intake_the_feed_is_there_and_says_that_quotes_are_not(
    box: Box, others: OtherServices
) -> None:
    await box.deliver([promoter()])
    others.down = True
    told = (await box.http("admin").get("/v1/recognitions")).json()
    assert (len(told["items"]), told["quotes"]) == (1, "unavailable")


async def test_a_team_sees_its_own_feed_and_a_manager_what_is_below(box: Box) -> None:
    await box.deliver([promoter()])
    assert await seen(box, "employee", employee="bea") == ["m1"]  # works in north
    assert await seen(box, "employee", employee="sam") == []  # works in supply
    assert await seen(box, "manager", employee="boss", units=("glass",)) == ["m1"]
    (win,) = await feed(box)
    hidden = await box.http("employee", employee_id="sam").get(f"/v1/recognitions/{win['id']}")
    assert hidden.status_code == 404


async def test_thanks_from_a_peer_reach_the_feed_and_can_be_taken_back_by_who_gave_them(box: Box) -> None:
    thanks = (await thank(box)).json()
    assert (thanks["from"], thanks["to"], thanks["kind"], thanks["org_unit"]) == (
        "sam",
        "m1",
        "thanks",
        "north",
    )
    assert [item["text"] for item in await feed(box, employee="m1")] == ["You stayed late for me."]
    url = f"/v1/recognitions/{thanks['id']}"
    assert (await box.http("employee", employee_id="m1").delete(url)).status_code == 404
    assert (await box.http("employee", employee_id="sam").delete(url)).status_code == 200
    assert await feed(box) == []


async def test_thanks_about_a_win_go_with_the_answer_that_is_erased(box: Box) -> None:
    await box.deliver([promoter()])
    assert (await thank(box, response_id=str(promoter().response_id))).status_code == 200
    await box.deliver([promoter(version=2, erased=True)])
    assert await feed(box) == []


async def test_a_win_is_taken_back_by_the_answer_only(box: Box) -> None:
    await box.deliver([promoter()])
    (win,) = await feed(box)
    assert (await box.http("admin").delete(f"/v1/recognitions/{win['id']}")).status_code == 422


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"to": "sam"}, "/body/to"),
        ({"to": "nobody"}, "/body/to"),
        ({"to": "gone"}, "/body/to"),
        ({"text": "  "}, "/body/text"),
        ({"response_id": str(promoter(9).response_id)}, "/body/response_id"),
    ],
)
async def test_thanks_that_make_no_sense_are_refused_by_field(
    box: Box, change: dict[str, Any], pointer: str
) -> None:
    await box.deliver([Employee(version=1, employee="gone", active=False)])
    refused = await thank(box, **change)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await feed(box) == []


async def test_nobody_gives_thanks_in_anothers_name(box: Box) -> None:
    assert (await thank(box, **{"from": "boss"})).status_code == 403


async def test_who_is_never_recognised_is_told_to_who_leads_them(box: Box) -> None:
    await box.deliver([promoter()])
    everybody = (await box.http("admin").get("/v1/recognitions/missing", params={"month": "2026-03"})).json()
    assert [item["employee"] for item in everybody["items"]] == ["bea", "boss", "sam"]
    north = box.http("manager", employee_id="bea", org_units=["north"])
    own = (await north.get("/v1/recognitions/missing")).json()
    assert [item["employee"] for item in own["items"]] == ["bea"]
    february = (await north.get("/v1/recognitions/missing", params={"month": "2026-02"})).json()
    assert [(item["employee"], item["last_recognised_at"]) for item in february["items"]] == [
        ("bea", None),
        ("m1", "2026-03-02T09:00:00Z"),
    ]
    hidden = await north.get("/v1/recognitions/missing", params={"org_unit": "supply"})
    assert hidden.status_code == 404
