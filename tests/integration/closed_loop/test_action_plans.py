"""Plans on a real database, beside an aggregator and an attribution that answer what they are told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.integration.closed_loop.world import DIRECTORY, answer, only_case

from closed_loop.main import service
from closed_loop.metrics import measure_timers
from closed_loop.service.reminders import remind, remind_due
from closed_loop.timers import timers
from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import Employee
from fairloop.testing import Box, running

PATH = "/v1/action-plans/windows"
TAXONOMY = {"items": [{"causes": [{"id": "job", "children": [{"id": "right_window"}]}]}], "next": None}


def figure(promoters: int, passives: int, detractors: int) -> dict[str, Any]:
    n = promoters + passives + detractors
    value = None if n < 5 else round(100 * (promoters - detractors) / n, 1)
    return {
        "kpi": "nps",
        "n": n,
        "n_eff": float(n),
        "weight": str(n),
        "promoters_weight": str(promoters),
        "detractors_weight": str(detractors),
        "value": value,
        "ci95": None,
        "suppressed": value is None,
        "reason": "shown" if value is not None else "fewer than 5 answers",
    }


@dataclass
class Peers:
    """What the others answer now, and what they were asked."""

    figure: dict[str, Any] = field(default_factory=lambda: figure(12, 5, 3))
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def client(self, name: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url=f"http://{name}")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.path}?{request.url.query.decode()}")
        if request.url.path == "/v1/taxonomies":
            return httpx.Response(self.status, json=TAXONOMY)
        if request.url.path.endswith("/causes"):
            return httpx.Response(self.status, json={"items": [{"cause": "right_window", "impact": -12.5}]})
        return httpx.Response(self.status, json=self.figure)


@pytest.fixture
def peers() -> Peers:
    return Peers()


@pytest.fixture
async def office(postgres: PostgresServer, peers: Peers) -> AsyncIterator[Box]:
    async with running(service, postgres, peers=peers.client) as box:
        await box.deliver(DIRECTORY)
        yield box


def body(**changed: Any) -> dict[str, Any]:
    return {
        "action_item": "The right window is there",
        "objective": "Nobody waits twice",
        "background": "A third of all detractors name it",
        "business_impact": {"amount_minor": 1_200_000, "currency": "EUR", "basis": "60 second visits"},
        "obstacles": ["the supplier's system"],
        "goal": {"scope_type": "org_unit", "scope_id": "north", "target": "50", "by": "2026-06-01"},
        "project_plan": {
            "tasks": [
                {"id": "order", "title": "Order earlier", "owner": "sam", "due": "2026-03-10"},
                {
                    "id": "stock",
                    "title": "Stock ten",
                    "owner": "bea",
                    "due": "2026-04-10",
                    "depends_on": ["order"],
                },
            ]
        },
        "stage": "active",
        "owner": "boss",
        "org_unit": "supply",
        "review_dates": ["2026-03-09", "2026-04-06"],
        "causes": ["right_window"],
    } | changed


async def put(box: Box, **changed: Any) -> dict[str, Any]:
    answered = await box.http("admin").put(PATH, json=body(**changed))
    assert answered.status_code == 200, answered.text
    plan: dict[str, Any] = answered.json()
    return plan


async def refused(box: Box, **changed: Any) -> tuple[int, list[str]]:
    answered = await box.http("admin").put(PATH, json=body(**changed))
    problem = answered.json()
    return answered.status_code, [error["pointer"] for error in problem.get("errors", [])]


async def told(box: Box, recipient: str) -> list[tuple[str, str]]:
    answered = await box.http("admin").get(f"/v1/notifications?recipient={recipient}")
    items = reversed(answered.json()["items"])
    return [(one["kind"], one["about"]["id"]) for one in items if one["about"]["type"] == "action_plan"]


async def test_making_a_plan_freezes_the_figures_behind_it(office: Box, peers: Peers) -> None:
    made = await put(office)
    assert made["analytics"] == {
        "figure": peers.figure,
        "causes": [{"cause": "right_window", "impact": -12.5}],
    }
    assert "/v1/kpis/nps/org_unit/north?from=2025-12-02&to=2026-03-02" in peers.asked
    assert (made["version"], made["open_tasks"], made["comparison"]) == (1, ["order"], None)
    peers.figure = figure(1, 1, 18)
    later = await put(office, objective="Nobody waits at all")
    assert (later["version"], later["analytics"]) == (2, made["analytics"])


async def test_the_same_plan_again_is_no_new_version(office: Box, peers: Peers) -> None:
    first = await put(office)
    peers.status = 503
    assert await put(office) == first
    got = await office.http("admin").get(PATH)
    assert got.json() == first


async def test_without_the_figures_nothing_is_kept(office: Box, peers: Peers) -> None:
    peers.status = 503
    assert (await refused(office))[0] == 503
    peers.status = 404
    assert await refused(office, causes=[]) == (422, ["/body/goal"])
    assert (await office.http("admin").get(PATH)).status_code == 404
    assert await told(office, "sam") == []


async def test_what_makes_no_sense_is_refused_by_name_and_nothing_is_kept(office: Box) -> None:
    await office.deliver([Employee(version=2, employee="m1", active=False)])
    task = {"id": "a", "title": "A", "owner": "sam", "due": "2026-03-10"}
    circle = [task | {"depends_on": ["b"]}, task | {"id": "b", "depends_on": ["a"]}]
    impact = {"amount_minor": 1, "currency": "euro", "basis": "x"}
    for changed, pointer in (
        ({"owner": "m1"}, "/body/owner"),
        ({"project_plan": {"tasks": [task | {"owner": "x"}]}}, "/body/project_plan/tasks/0/owner"),
        ({"project_plan": {"tasks": circle}}, "/body/project_plan/tasks"),
        ({"project_plan": {"tasks": []}}, "/body/project_plan/tasks"),
        ({"org_unit": "south"}, "/body/org_unit"),
        ({"causes": ["right_window", "weather"]}, "/body/causes/1"),
        ({"cases": ["01890000-0000-7000-8000-000000000001"]}, "/body/cases/0"),
        ({"stage": "closed", "result": "x"}, "/body/stage"),
        ({"business_impact": impact}, "/body/business_impact/currency"),
    ):
        assert await refused(office, **changed) == (422, [pointer])
    assert (await office.http("admin").get("/v1/action-plans")).json()["items"] == []


async def test_a_plan_is_linked_to_causes_and_cases_and_found_by_them(office: Box) -> None:
    await office.deliver([answer()])
    case = await only_case(office)
    await put(office, cases=[case["id"]])
    for query, found in (
        (f"case={case['id']}", 1),
        ("cause=right_window", 1),
        ("cause=speed", 0),
        ("stage=active&owner=boss&org_unit=supply", 1),
        ("stage=draft", 0),
    ):
        listed = await office.http("admin").get(f"/v1/action-plans?{query}")
        assert len(listed.json()["items"]) == found, query


async def test_closing_compares_before_and_after_and_ends_the_plan(office: Box, peers: Peers) -> None:
    await put(office)
    office.clock.advance(timedelta(days=30))
    peers.figure = figure(15, 3, 2)
    assert await refused(office, stage="closed") == (422, ["/body/result"])
    closed = await put(office, stage="closed", result="The ten are in stock")
    assert peers.asked[-1] == "/v1/kpis/nps/org_unit/north?from=2026-03-02&to=2026-04-02"
    found = closed["comparison"]
    assert (found["before"]["value"], found["after"]["value"], found["difference"]) == (45.0, 65.0, 20.0)
    assert found["ci95"] == [-24.5, 59.3]
    assert (found["goal_reached"], "not a proof" in found["caveat"]) == (True, True)
    assert {one["state"] for one in closed["reminders"]} == {"disarmed"}
    assert (await refused(office, stage="closed", result="Better even"))[0] == 409
    assert await put(office, stage="closed", result="The ten are in stock") == closed


async def test_who_is_given_a_task_is_told_once(office: Box) -> None:
    await put(office, stage="draft")
    assert await told(office, "sam") == []
    await put(office)
    await put(office, objective="Another")
    assert await told(office, "sam") == [("action_plan_task", "windows")]


@pytest.mark.fault(19)
async def test_a_reminder_fires_once_however_many_loops_there_are(office: Box) -> None:
    await put(office)
    office.clock.now = datetime(2026, 3, 9, tzinfo=UTC) - timedelta(seconds=1)
    assert await remind_due(office.db, office.clock) == 0
    office.clock.advance(timedelta(seconds=1))
    await asyncio.gather(*(remind_due(office.db, office.clock) for _ in range(8)))
    assert await told(office, "boss") == [("action_plan_review", "windows")]
    await put(office, objective="Another")
    assert await remind_due(office.db, office.clock) == 0
    office.clock.now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert await remind_due(office.db, office.clock) == 1
    assert (await told(office, "sam"))[-1] == ("action_plan_task_due", "windows")


class WorkerKilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.fault(19)
async def test_a_worker_killed_while_reminding_reminds_once_after_all(office: Box) -> None:
    await put(office)
    office.clock.now = datetime(2026, 3, 9, tzinfo=UTC)

    async def remind_and_die() -> None:
        async with office.db.begin() as session:
            assert await remind(session, "windows", office.clock) == 1
            raise WorkerKilledError

    with pytest.raises(WorkerKilledError):
        await remind_and_die()
    assert await told(office, "boss") == []
    await remind_due(office.db, office.clock)
    assert await told(office, "boss") == [("action_plan_review", "windows")]


async def test_a_day_taken_back_reminds_of_nothing_until_it_is_named_again(office: Box) -> None:
    await put(office)
    await put(office, review_dates=["2026-04-06"])
    office.clock.now = datetime(2026, 3, 9, tzinfo=UTC)
    assert await remind_due(office.db, office.clock) == 0
    await put(office)
    assert await remind_due(office.db, office.clock) == 1
    await put(office, review_dates=["2026-04-06"])
    await put(office)
    assert await remind_due(office.db, office.clock) == 0


async def test_a_plan_in_hand_is_reminded_of_later(office: Box) -> None:
    await put(office)
    office.clock.now = datetime(2026, 3, 9, tzinfo=UTC)
    async with office.db.begin() as session:
        await sql(session, "SELECT 1 FROM action_plan WHERE id = 'windows' FOR UPDATE")
        assert await remind_due(office.db, office.clock) == 0
    assert await remind_due(office.db, office.clock) == 1


async def test_the_loop_reminds_and_is_seen_to_be_late_when_it_does_not(office: Box) -> None:
    await put(office)
    office.clock.now = datetime(2026, 3, 9, 0, 1, tzinfo=UTC)
    async with office.db.begin() as session:
        await measure_timers(session, office.runtime)
    loop = asyncio.create_task(timers(office.runtime))
    async with asyncio.timeout(10):
        while not await told(office, "boss"):
            continue
        office.runtime.stopping.set()
        await loop


async def test_two_who_change_a_plan_at_once_do_not_undo_each_other(office: Box) -> None:
    await put(office)
    client = office.http("admin")
    answers = await asyncio.gather(
        *(client.put(PATH, json=body(objective=f"Objective {n}")) for n in range(4))
    )
    codes = sorted(one.status_code for one in answers)
    assert set(codes) <= {200, 409}
    got = (await client.get(PATH)).json()
    assert got["version"] == 1 + codes.count(200)


async def test_the_same_plan_put_twice_at_once_is_one_plan(office: Box) -> None:
    client = office.http("admin")
    answers = await asyncio.gather(*(client.put(PATH, json=body()) for _ in range(4)))
    assert {(one.status_code, one.json()["version"]) for one in answers} == {(200, 1)}
    assert await told(office, "sam") == [("action_plan_task", "windows")]


READERS = [
    ("analyst", None, [], 200),
    ("manager", "x", ["glass"], 200),
    ("manager", "x", ["north"], 404),
    ("manager", "bea", [], 200),
    ("employee", "sam", [], 200),
    ("employee", "m1", ["supply"], 404),
]


async def test_a_plan_is_seen_by_its_unit_and_those_who_work_on_it(office: Box) -> None:
    await put(office)
    for role, employee, units, expected in READERS:
        client = office.http(role, employee_id=employee, org_units=units)
        assert (await client.get(PATH)).status_code == expected, (role, employee)
        listed = (await client.get("/v1/action-plans")).json()["items"]
        assert bool(listed) is (expected == 200), (role, employee)


async def test_a_manager_plans_for_the_own_units_by_their_figures(office: Box) -> None:
    north = office.http("manager", employee_id="bea", org_units=["north"])
    for changed, pointer in (
        ({"org_unit": "supply"}, "/body/org_unit"),
        (
            {"org_unit": "north", "goal": body()["goal"] | {"scope_id": "supply"}},
            "/body/goal/scope_id",
        ),
        (
            {"org_unit": "north", "goal": body()["goal"] | {"scope_type": "cause", "scope_id": "x"}},
            "/body/goal/scope_type",
        ),
    ):
        answered = await north.put(PATH, json=body(**changed))
        assert answered.status_code == 422
        assert [error["pointer"] for error in answered.json()["errors"]] == [pointer]
    assert (await north.put(PATH, json=body(org_unit="north"))).status_code == 200
    assert (await office.http("manager", employee_id="sam").put(PATH, json=body())).status_code == 422
    other = office.http("manager", employee_id="x", org_units=["supply"])
    assert (await other.put(PATH, json=body())).status_code == 404
