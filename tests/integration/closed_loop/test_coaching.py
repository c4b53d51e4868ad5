"""Behaviours, training, observations and adoption."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from tests.integration.closed_loop.world import DIRECTORY

from closed_loop.main import service
from fairloop.embedded import PostgresServer
from fairloop.events import Assignment, Employee
from fairloop.testing import Box, running

GREETS = {"role": "any", "name": "Greets by name", "description": "Looks the customer up first."}


def assigned(employee: str, unit: str) -> list[Any]:
    posting = Assignment(
        version=1,
        assignment=f"a-{employee}",
        employee=employee,
        role="any",
        org_unit=unit,
        valid_from=date(2026, 1, 1),
    )
    return [Employee(version=1, employee=employee), posting]


async def expected(box: Box) -> None:
    put = await box.http("ops").put("/v1/behaviours/greets", json=GREETS)
    assert put.status_code == 200, put.text


def boss(box: Box, *units: str) -> httpx.AsyncClient:
    return box.http("manager", employee_id="bea", org_units=units or ("north",))


async def see(box: Box, employee: str, *, shown: bool = True, at: str | None = None) -> dict[str, Any]:
    body = {"employee": employee, "behaviour": "greets", "shown": shown, "note": "At the counter."}
    if at is not None:
        body["observed_at"] = at
    made = await boss(box, "glass").post("/v1/observations", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def test_what_is_expected_of_a_role_is_for_everybody_to_read(staffed: Box) -> None:
    await expected(staffed)
    council = staffed.http("works_council")
    (listed,) = (await council.get("/v1/behaviours?role=any")).json()["items"]
    assert listed == (await council.get("/v1/behaviours/greets")).json()
    assert (listed["name"], listed["active"]) == ("Greets by name", True)
    assert (await council.get("/v1/behaviours?role=other")).json()["items"] == []
    assert (await council.get("/v1/behaviours/none")).status_code == 404
    assert (await boss(staffed).put("/v1/behaviours/greets", json=GREETS)).status_code == 403


async def test_an_observation_is_read_by_the_person_their_managers_and_nobody_else(staffed: Box) -> None:
    await expected(staffed)
    made = await see(staffed, "m1")
    path = f"/v1/observations/{made['id']}"
    assert (made["observed_by"], made["observed_on"]) == ("bea", "2026-03-02")
    for reader in (staffed.http("employee", employee_id="m1"), boss(staffed), staffed.http("admin")):
        assert (await reader.get(path)).json() == made
        assert [one["id"] for one in (await reader.get("/v1/observations")).json()["items"]] == [made["id"]]
    for stranger in (staffed.http("employee", employee_id="sam"), boss(staffed, "supply")):
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.get("/v1/observations?employee=m1")).json()["items"] == []
    for role in ("works_council", "analyst", "finance", "service", "ops"):
        assert (await staffed.http(role).get(path)).status_code == 403


async def test_the_observed_person_replies_and_who_was_wrong_withdraws(staffed: Box) -> None:
    await expected(staffed)
    path = f"/v1/observations/{(await see(staffed, 'm1', shown=False))['id']}"
    m1 = staffed.http("employee", employee_id="m1")
    replied = await m1.post(f"{path}/reply", json={"text": "The customer was in a hurry."})
    assert replied.json()["reply"] == "The customer was in a hurry."
    assert (await m1.post(f"{path}/reply", json={"text": "Other."})).status_code == 409
    assert (await boss(staffed).post(f"{path}/reply", json={"text": "Mine."})).status_code == 403
    other = staffed.http("manager", employee_id="boss", org_units=["glass"])
    assert (await other.post(f"{path}/withdraw", json={"reason": "x"})).status_code == 403
    withdrawn = (await boss(staffed).post(f"{path}/withdraw", json={"reason": "Wrong person."})).json()
    assert (withdrawn["withdrawn_by"], withdrawn["withdrawn_because"]) == ("bea", "Wrong person.")


NONSENSE: list[tuple[dict[str, Any], int, str | None]] = [
    ({"employee": "m1", "behaviour": "none", "shown": True}, 422, "/body/behaviour"),
    ({"employee": "gone", "behaviour": "greets", "shown": True}, 422, "/body/employee"),
    ({"employee": "m1", "behaviour": "seals", "shown": True}, 422, "/body/behaviour"),
    (
        {"employee": "m1", "behaviour": "greets", "shown": True, "observed_at": "2026-04-01T09:00:00Z"},
        422,
        "/body/observed_at",
    ),
    ({"employee": "m1", "behaviour": "greets"}, 422, "/body/shown"),
    ({"employee": "sam", "behaviour": "greets", "shown": True}, 404, None),
    ({"employee": "bea", "behaviour": "greets", "shown": True}, 403, None),
]


@pytest.mark.parametrize(("body", "status", "pointer"), NONSENSE)
async def test_an_observation_that_makes_no_sense_is_refused(
    staffed: Box, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    await staffed.deliver(assigned("gone", "north"))
    await staffed.deliver([Employee(version=2, employee="gone", active=False)])
    await expected(staffed)
    await staffed.http("admin").put("/v1/behaviours/seals", json=GREETS | {"role": "fitter"})
    refused = await boss(staffed).post("/v1/observations", json=body)
    assert refused.status_code == status, refused.text
    if pointer is not None:
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await staffed.http("admin").get("/v1/observations")).json()["items"] == []


async def test_training_is_recorded_once_and_read_by_those_it_concerns(staffed: Box) -> None:
    await expected(staffed)
    body = {
        "employee": "m1",
        "course": "Welcome",
        "behaviour": "greets",
        "completed_at": "2026-02-01T09:00:00Z",
    }
    for _ in range(2):
        put = await boss(staffed).put("/v1/trainings/t1", json=body)
        assert put.status_code == 200, put.text
    m1 = staffed.http("employee", employee_id="m1")
    (held,) = (await m1.get("/v1/trainings")).json()["items"]
    assert (held["completed_on"], held["recorded_by"]) == ("2026-02-01", "bea")
    assert (await m1.get("/v1/trainings/t1")).json() == held
    assert (await staffed.http("employee", employee_id="sam").get("/v1/trainings/t1")).status_code == 404
    assert (await boss(staffed, "supply").put("/v1/trainings/t1", json=body)).status_code == 404
    for wrong, pointer in (
        ({"course": None, "behaviour": None}, "/body"),
        ({"behaviour": "none"}, "/body/behaviour"),
        ({"completed_at": "2026-05-01T09:00:00Z"}, "/body/completed_at"),
        ({"completed_at": "2026-02-01T09:00:00"}, "/body/completed_at"),
    ):
        refused = await boss(staffed).put("/v1/trainings/t2", json=body | wrong)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await staffed.http("admin").get("/v1/trainings/t2")).status_code == 404


class Figures:
    """A stand-in for kpi-aggregator."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, peer: str) -> httpx.AsyncClient:
        assert peer == "kpi-aggregator"
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer), base_url="http://kpi")

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.path, dict(request.url.params)))
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        body = {"value": 30.0, "ci95": [8.4, 49.8], "n": 20, "suppressed": False, "kpi": "nps"}
        return httpx.Response(200, json=body)


async def test_adoption_stands_beside_the_outcome_month_by_month(postgres: PostgresServer) -> None:
    figures = Figures()
    async with running(service, postgres, peers=figures) as box:
        await box.deliver([*DIRECTORY, *assigned("m2", "north"), *assigned("m3", "north")])
        await expected(box)
        for employee in ("m1", "m2", "m3"):
            await see(box, employee, shown=False, at="2026-01-10T09:00:00Z")
            await see(box, employee, shown=employee != "m1", at="2026-01-20T09:00:00Z")
            await see(box, employee, at="2026-02-10T09:00:00Z")
            await see(box, employee, at="2026-02-11T09:00:00Z")
        await boss(box).put(
            "/v1/trainings/t1",
            json={"employee": "m1", "behaviour": "greets", "completed_at": "2026-01-25T09:00:00Z"},
        )
        asked = "/v1/adoption/org_unit/north?from=2026-01-01&to=2026-03-01"
        adopted = (await box.http("works_council").get(asked)).json()
        assert [(m["month"], m["n"], m["share"], m["outcome"]["value"]) for m in adopted["months"]] == [
            ("2026-01", 6, "0.3333", 30.0),
            ("2026-02", 6, "1.0000", 30.0),
        ]
        assert (adopted["total"]["n"], adopted["total"]["people"]) == (12, 3)
        assert [(b["behaviour"], b["name"], b["n"]) for b in adopted["behaviours"]] == [
            ("greets", "Greets by name", 12)
        ]
        assert adopted["training"] == {"people": 4, "trained": 1}
        assert "does not show that one made the other do so" in adopted["reading"]
        assert ("/v1/kpis/nps/org_unit/north", {"from": "2026-01-01", "to": "2026-02-01", "view": "all"}) in (
            figures.asked
        )
        figures.down = True
        alone = (await box.http("works_council").get(asked)).json()
        assert [m["outcome"] for m in alone["months"]] == [None, None]
        assert alone["total"] == adopted["total"]


async def test_adoption_is_shown_to_those_it_concerns_and_of_groups_only_when_large_enough(
    postgres: PostgresServer,
) -> None:
    async with running(service, postgres, peers=Figures()) as box:
        await box.deliver(DIRECTORY)
        await expected(box)
        for _ in range(6):
            await see(box, "m1")
        own = "/v1/adoption/employee/m1"
        wrong = await see(box, "m1")
        await boss(box).post(f"/v1/observations/{wrong['id']}/withdraw", json={"reason": "Wrong person."})
        for reader in (box.http("employee", employee_id="m1"), boss(box), box.http("admin")):
            assert (await reader.get(own)).json()["total"]["n"] == 6
        assert (await box.http("employee", employee_id="sam").get(own)).status_code == 404
        for role in ("works_council", "analyst", "service"):
            assert (await box.http(role).get(own)).status_code == 403
        for path in ("/v1/adoption/org_unit/north", "/v1/adoption/organisation/all"):
            total = (await box.http("works_council").get(path)).json()["total"]
            assert (total["suppressed"], total["n"], total["share"]) == (True, None, None)
        colleague = box.http("employee", employee_id="m1", org_units=["north"])
        assert (await colleague.get("/v1/adoption/org_unit/north")).status_code == 200
        assert (await colleague.get("/v1/adoption/org_unit/supply")).status_code == 404
        assert (await colleague.get("/v1/adoption/organisation/us")).status_code == 404
        refused = await colleague.get(f"{own}?from=2020-01-01&to=2026-01-01")
        assert refused.json()["errors"][0]["pointer"] == "/query/to"


async def test_an_observation_belongs_to_the_unit_the_person_worked_in_that_day(
    postgres: PostgresServer,
) -> None:
    async with running(service, postgres, peers=Figures()) as box:
        await box.deliver(DIRECTORY)
        await expected(box)
        for who in ("x", "y", "z"):
            await box.deliver(assigned(who, "north"))
            for _ in range(2):
                await see(box, who)
        box.clock.now = datetime(2026, 4, 1, 9, tzinfo=UTC)
        for who in ("x", "y", "z"):
            (_, before) = assigned(who, "north")
            moved = Assignment(
                version=1,
                assignment=f"b-{who}",
                employee=who,
                role="any",
                org_unit="supply",
                valid_from=date(2026, 3, 15),
            )
            ended = Assignment(
                version=2,
                assignment=before.assignment,
                employee=who,
                role="any",
                org_unit="north",
                valid_from=date(2026, 1, 1),
                valid_to=date(2026, 3, 15),
            )
            await box.deliver([moved, ended])
        analyst = box.http("analyst")
        assert (await analyst.get("/v1/adoption/org_unit/north")).json()["total"]["n"] == 6
        assert (await analyst.get("/v1/adoption/org_unit/supply")).json()["total"]["suppressed"]
        assert (await analyst.get("/v1/adoption/org_unit/glass")).json()["total"]["n"] == 6
