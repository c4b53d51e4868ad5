"""The five services, asked what they hold when everything has arrived, against the fold of the commands."""

from collections import Counter
from typing import Any
from uuid import UUID

from tests.property import fold
from tests.property.five_services import FiveServices
from tests.property.fold import Figure, Scope, Told

from fairloop.db import sql
from fairloop.events import AttributionResult

PERIOD = {"from": "2026-01-01", "to": "2026-04-01", "plan": "quarterly"}
PAYEES = ("m1", "m2")


async def check(five: FiveServices, told: Told, ids: dict[str, UUID]) -> None:
    """`ids`: the services' id of every response that was taken in."""
    await _directories(five, told)
    await _intake(five, told, ids)
    await _attribution(five, told, ids)
    await _aggregator(five, told)
    await _cases(five, told, ids)
    await _bonus(five, told)


async def _directories(five: FiveServices, told: Told) -> None:
    """Every copy of the directory is the newest."""
    for service in ("kpi-aggregator", "closed-loop", "bonus"):
        name = "id" if service == "closed-loop" else "org_unit"
        assert await _pairs(five, service, f"SELECT {name}, parent FROM org_unit") == told.parents, service
        units = await _pairs(five, service, "SELECT employee, org_unit FROM assignment")
        assert units == told.unit_of, f"assignments in {service}"
    managers = await _pairs(five, "closed-loop", "SELECT id, manager FROM employee WHERE manager IS NOT NULL")
    assert managers == {who: manager for who, manager in told.manager.items() if manager}


async def _pairs(five: FiveServices, service: str, statement: str) -> dict[str, str | None]:
    async with five.boxes[service].db.begin() as session:
        return dict(tuple(row) for row in await sql(session, statement))


async def _intake(five: FiveServices, told: Told, ids: dict[str, UUID]) -> None:
    for name, id in ids.items():
        held = told.responses[name]
        found = await five.must("survey-intake", "GET", f"/v1/responses/{id}")
        assert found["status"] == (held.retracted or "active"), f"intake about {name}"
        if not held.retracted:
            assert found["scores"]["nps"] == held.shown.score, f"intake about {name}"


async def _attribution(five: FiveServices, told: Told, ids: dict[str, UUID]) -> None:
    for name, id in ids.items():
        held = told.responses[name]
        found = await five.must("attribution", "GET", f"/v1/attributions/{id}")
        ledger: Counter[tuple[str, str, str]] = Counter()
        for entry in found["entries"]:
            share = int(entry["share"].replace(".", ""))
            ledger[entry["subject_type"], entry["subject_id"], entry["cause"] or ""] += share
        assert found["status"] == fold.status(told, held), f"attribution of {name}"
        assert +ledger == fold.shares(told, held), f"ledger of {name}"


async def _aggregator(five: FiveServices, told: Told) -> None:
    """Daily sums == their recomputation == frozen figures == the fold."""
    proof = await five.must("kpi-aggregator", "POST", "/v1/recompute")
    assert proof["equal"], proof["differences"]
    days = {"from": PERIOD["from"], "to": PERIOD["to"]}
    made = await five.must("kpi-aggregator", "POST", "/v1/snapshots", {"period": days, "kpi": "nps"})
    frozen = await five.must("kpi-aggregator", "GET", f"/v1/snapshots/{made['id']}")
    expected = fold.figures(told)
    assert _shown(frozen["figures"]) == expected, "frozen figures"
    for kind, id, view in (("organisation", "all", "all"), ("employee", "m1", "influenced")):
        path = f"/v1/kpis/nps/{kind}/{id}?view={view}&from={days['from']}&to={days['to']}"
        running = _shown([await five.must("kpi-aggregator", "GET", path)])
        assert running.get((kind, id, view)) == expected.get((kind, id, view)), "running figure"


def _shown(figures: list[dict[str, Any]]) -> dict[Scope, Figure]:
    """Those of people, units and the organisation that counted anything."""
    return {
        (one["scope_type"], one["scope_id"], one["view"]): Figure(
            one["n"],
            one["promoters"],
            one["detractors"],
            *(
                int(one[name].replace(".", ""))
                for name in ("weight", "promoters_weight", "detractors_weight")
            ),
        )
        for one in figures
        if one["n"] and one["scope_type"] in {"employee", "org_unit", "organisation"}
    }


async def _cases(five: FiveServices, told: Told, ids: dict[str, UUID]) -> None:
    """One case for every answer that was ever attributed as a detractor's, true to the newest."""
    alarmed = _ever_detractors(five)
    cases = (await five.must("closed-loop", "GET", "/v1/cases?limit=500"))["items"]
    of = {case["response_id"]: case for case in cases}
    assert len(of) == len(cases), "two cases for one response"
    assert {UUID(id) for id in of} == alarmed, "responses with a case"
    for name, id in ids.items():
        held, case = told.responses[name], of.get(str(id))
        if case is None:
            assert held.retracted or held.shown.score > 6, f"no case for {name}"
        elif held.retracted:
            assert case["status"] == "closed", f"the case of {name}"
            assert case["closed_reason"] in {"response deleted", "response erased"}, "whichever came first"
        else:
            assert held.was_detractor, f"a case for {name}, who never was a detractor"
            assert (case["scores"]["nps"], case["meets_rule"], case["owner"]) == (
                held.shown.score,
                held.shown.score <= 6,
                fold.owner(told, held),
            ), f"the case of {name}"


def _ever_detractors(five: FiveServices) -> set[UUID]:
    """By what attribution has published: an answer that was a detractor's for a moment has had its case."""
    found: set[UUID] = set()
    for events in five.log.events[AttributionResult.topic].values():
        for event in events:
            assert isinstance(event, AttributionResult)
            if event.status != "erased" and (event.response.scores.nps or 0) <= 6:
                found.add(event.response_id)
    return found


async def _bonus(five: FiveServices, told: Told) -> None:
    """A calculation now rests on the fold's figures, those of a payee and of the unit they work in."""
    await five.must("bonus", "PUT", "/v1/periods/now", PERIOD)
    run = await five.call("bonus", "POST", "/v1/periods/now/calculate")
    figures = fold.figures(told)
    assert run.is_success == bool(figures), run.text
    for payee in PAYEES if figures else ():
        statement = await five.must("bonus", "GET", f"/v1/periods/now/statements/{payee}")
        person = ("employee", payee, "influenced")
        fallbacks = [("org_unit", told.unit_of[payee], "influenced"), ("organisation", "all", "influenced")]
        for component, scopes in zip(statement["components"], ([person, *fallbacks], fallbacks), strict=True):
            kind, id, view = next(scope for scope in scopes if scope in figures)
            (source,) = component["sources"]
            assert (source["scope_type"], source["scope_id"]) == (kind, id), f"source of {payee}'s pay"
            assert source["value"] == figures[kind, id, view].value, f"figure behind {payee}'s pay"
