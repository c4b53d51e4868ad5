"""Who sees whose figures."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, deliver_all, directory, scores

from fairloop.events import Assignment, Employee
from fairloop.testing import Box

MINE = "/v1/kpis/nps/employee/m1"


async def filled(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, [answered(number, nps) for number, nps in enumerate(scores(12, 5, 3), start=1)])


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("employee/m1", 200),
        ("employee/m2", 404),
        ("employee/nobody", 404),
        ("org_unit/north", 200),
        ("org_unit/planning", 404),
        ("org_unit/glass", 404),
        ("organisation/all", 200),
        ("cause/quality", 403),
    ],
)
async def test_an_employee_sees_themselves_their_unit_and_the_organisation(
    box: Box, path: str, status: int
) -> None:
    await filled(box)

    answer = await box.http("employee", employee_id="m1", org_units=["north"]).get(f"/v1/kpis/nps/{path}")

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("employee/m1", 200),
        ("employee/s1", 404),
        ("employee/boss", 200),
        ("org_unit/north", 200),
        ("org_unit/planning", 404),
        ("organisation/all", 200),
    ],
)
async def test_a_manager_sees_their_subtree_and_its_people(box: Box, path: str, status: int) -> None:
    await filled(box)

    answer = await box.http("manager", employee_id="boss", org_units=["north"]).get(f"/v1/kpis/nps/{path}")

    assert answer.status_code == status


async def test_a_manager_of_the_top_sees_everybody_below(box: Box) -> None:
    await filled(box)
    top = box.http("manager", employee_id="chief", org_units=["glass"])

    assert (await top.get("/v1/kpis/nps/employee/s1")).status_code == 200
    assert (await top.get("/v1/kpis/nps/org_unit/planning")).status_code == 200


async def test_somebody_who_moved_away_is_their_new_managers(box: Box) -> None:
    await filled(box)
    left = Assignment(
        version=2,
        assignment="a-m1",
        employee="m1",
        role="mechanic",
        org_unit="north",
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 2, 1),
    )
    joined = replace(left, assignment="b-m1", org_unit="planning", valid_from=date(2026, 2, 1), valid_to=None)
    await box.deliver([left, joined])

    old = box.http("manager", employee_id="boss", org_units=["north"])
    new = box.http("manager", employee_id="other", org_units=["planning"])

    assert (await old.get(MINE)).status_code == 404
    assert (await new.get(MINE)).status_code == 200
    assert (await old.get(f"{MINE}?period=2026-01")).status_code == 200


async def test_a_works_council_reads_aggregates_and_no_person(box: Box) -> None:
    await filled(box)
    council = box.http("works_council")

    assert (await council.get("/v1/kpis/nps/org_unit/north")).status_code == 200
    assert (await council.get("/v1/kpis/nps/cause/quality")).status_code == 200
    assert (await council.get(MINE)).status_code == 403
    assert (await council.get("/v1/kpis/nps/employee")).status_code == 403


@pytest.mark.parametrize("role", ["admin", "analyst", "finance", "service"])
async def test_those_who_work_with_figures_see_all(box: Box, role: str) -> None:
    await filled(box)

    assert (await box.http(role).get(MINE)).json()["n"] == 20


async def test_many_employees_at_once_each_as_if_asked_alone(box: Box) -> None:
    await filled(box)
    analyst = box.http("analyst")

    page = (await analyst.get("/v1/kpis/nps/employee?org_unit=glass&limit=2&view=influenced")).json()
    rest = (await analyst.get(f"/v1/kpis/nps/employee?limit=2&cursor={page['next']}&view=influenced")).json()

    assert [item["scope_id"] for item in page["items"]] == ["m1", "m2"]
    assert [item["scope_id"] for item in rest["items"]] == ["s1"]
    assert rest["next"] is None
    assert page["items"][0] == (await analyst.get(f"{MINE}?view=influenced")).json()


async def test_a_list_shows_only_those_the_caller_may_see(box: Box) -> None:
    await filled(box)
    await box.deliver([Employee(version=1, employee="boss")])

    async def listed(*role: str, query: str = "", **claims: Any) -> object:
        answer = await box.http(*role, **claims).get(f"/v1/kpis/nps/employee{query}")
        return (
            [item["scope_id"] for item in answer.json()["items"]] if answer.is_success else answer.status_code
        )

    assert await listed("employee", employee_id="m2", org_units=["north"]) == ["m2"]
    assert await listed("manager", employee_id="boss", org_units=["north"]) == ["boss", "m1", "m2"]
    boss: dict[str, Any] = {"employee_id": "boss", "org_units": ["north"]}
    assert await listed("manager", query="?org_unit=north", **boss) == ["m1", "m2"]
    assert await listed("manager", query="?org_unit=planning", **boss) == 404
    assert await listed("analyst", query="?org_unit=planning") == ["s1"]


async def test_only_an_admin_sets_and_only_operators_prove(box: Box) -> None:
    assert (await box.http("analyst").put("/v1/kpi-settings/nps", json={})).status_code == 403
    assert (await box.http("analyst").post("/v1/recompute")).status_code == 403
    assert (await box.http().get(MINE)).status_code == 401


async def test_a_bad_setting_points_at_the_field(box: Box) -> None:
    body = {"prior": {"mean": 40, "sd_between": -1, "sd_within": 80}, "min_n": 0}

    answer = await box.http("admin").put("/v1/kpi-settings/nps", json=body)

    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/body/prior/sd_between", "/body/min_n"}
