"""A figure that moved is told once, to whom it concerns, and can be opened by whoever was told."""

from datetime import date
from typing import Any
from uuid import UUID, uuid5

import httpx
from msgspec.structs import replace
from tests.integration.closed_loop.world import DIRECTORY

from fairloop.events import KpiShift
from fairloop.testing import Box

NAMES = UUID(int=7)


def shift(scope_type: str = "org_unit", scope_id: str = "north", **more: Any) -> KpiShift:
    return KpiShift(
        version=1,
        shift_id=uuid5(NAMES, f"{scope_type}/{scope_id}"),
        kpi="nps",
        scope_type=scope_type,
        scope_id=scope_id,
        view="all",
        before_from=date(2026, 1, 1),
        window_from=date(2026, 1, 31),
        window_to=date(2026, 3, 2),
        value=-60.0,
        before=80.0,
        n=20,
        n_before=20,
        z=-5.53,
        threshold=3.0,
        **more,
    )


async def told(box: Box) -> list[tuple[str, str]]:
    """Recipient and subject of every notification."""
    answer = await box.http("admin").get("/v1/notifications?kind=kpi_shift")
    assert answer.status_code == 200, answer.text
    return [(one["recipient"], one["about"]["id"]) for one in answer.json()["items"]]


def manager(box: Box, unit: str) -> httpx.AsyncClient:
    return box.http("manager", employee_id=f"manager-of-{unit}", org_units=[unit])


async def opened(client: httpx.AsyncClient) -> list[str]:
    items = (await client.get("/v1/kpi-shifts")).json()["items"]
    return [one["scope_id"] for one in items]


async def test_a_unit_is_told_once_however_often_its_shift_is_delivered(staffed: Box) -> None:
    await staffed.deliver([shift(), shift()])
    await staffed.deliver([replace(shift(), value=-61.0)])

    assert await told(staffed) == [("org_unit:north", str(shift().shift_id))]
    found = (await staffed.http("analyst").get(f"/v1/kpi-shifts/{shift().shift_id}")).json()
    assert (found["value"], found["value_before"], found["z"], found["n"]) == (-60.0, 80.0, -5.53, 20)
    assert found["window"] == {"from": "2026-01-31", "to": "2026-03-02"}


async def test_causes_and_the_organisation_are_told_to_the_top(staffed: Box) -> None:
    await staffed.deliver([shift("cause", "quality"), shift("organisation", "all")])

    assert {recipient for recipient, _ in await told(staffed)} == {"org_unit:glass"}


async def test_a_shift_that_comes_before_the_directory_is_told_all_the_same(box: Box) -> None:
    await box.deliver([shift("cause", "quality")])
    await box.deliver(DIRECTORY)

    assert await told(box) == [("org_unit:all", str(shift("cause", "quality").shift_id))]


async def test_who_was_told_may_open_it_and_nobody_else(staffed: Box) -> None:
    await staffed.deliver([shift(), shift("org_unit", "supply"), shift("cause", "quality")])

    assert await opened(manager(staffed, "north")) == ["north"]
    assert sorted(await opened(manager(staffed, "glass"))) == ["north", "quality", "supply"]
    assert sorted(await opened(staffed.http("works_council"))) == ["north", "quality", "supply"]
    elsewhere = await manager(staffed, "supply").get(f"/v1/kpi-shifts/{shift().shift_id}")
    assert elsewhere.status_code == 404
