"""Who is told what, who sees it, and what was read."""

from typing import Any

import pytest
from tests.integration.closed_loop.world import answer

from closed_loop.service.notifications import Subject, notify
from fairloop.testing import Box

PLAN = Subject("action_plan", "windows")


async def told(box: Box, *roles: str, **who: Any) -> list[dict[str, Any]]:
    answered = await box.http(*roles, **who).get("/v1/notifications")
    assert answered.status_code == 200, answered.text
    items: list[dict[str, Any]] = answered.json()["items"]
    return items


async def tell(box: Box, *recipients: str, kind: str = "review_due") -> None:
    async with box.db.begin() as session:
        await notify(session, recipients, kind, about=PLAN, at=box.clock())


async def test_everybody_is_told_once_however_often_they_are_named(staffed: Box) -> None:
    await tell(staffed, "sam", "boss", "sam")
    assert sorted(one["recipient"] for one in await told(staffed, "admin")) == ["boss", "sam"]
    (mine,) = await told(staffed, "employee", employee_id="sam")
    assert (mine["about"], mine["kind"]) == ({"type": "action_plan", "id": "windows"}, "review_due")
    assert (mine["created_at"], mine["read_at"]) == ("2026-03-02T09:00:00Z", None)


async def test_what_is_about_a_case_names_it(staffed: Box) -> None:
    await staffed.deliver([answer()])
    (case,) = (await staffed.http("admin").get("/v1/cases")).json()["items"]
    (mine,) = await told(staffed, "manager", employee_id="bea")
    assert (mine["kind"], mine["about"]) == ("assigned", {"type": "case", "id": case["id"]})


async def test_a_unit_is_told_through_its_people_and_those_above_them(staffed: Box) -> None:
    await tell(staffed, "org_unit:supply")
    assert len(await told(staffed, "employee", employee_id="sam", org_units=["supply"])) == 1
    assert len(await told(staffed, "manager", employee_id="boss", org_units=["glass"])) == 1
    assert await told(staffed, "manager", employee_id="bea", org_units=["north"]) == []
    assert await told(staffed, "employee", employee_id="boss", org_units=["glass"]) == []


async def test_somebody_without_an_employee_id_is_told_nothing(staffed: Box) -> None:
    await tell(staffed, "sam")
    assert await told(staffed, "employee") == []


async def test_read_once_is_read_and_anothers_is_not_there(staffed: Box) -> None:
    await tell(staffed, "sam", "bea")
    sam = staffed.http("employee", employee_id="sam")
    (mine,) = (await sam.get("/v1/notifications?unread=true")).json()["items"]
    first = await sam.post(f"/v1/notifications/{mine['id']}/read")
    staffed.clock.now = staffed.clock.now.replace(hour=11)
    again = await sam.post(f"/v1/notifications/{mine['id']}/read")
    assert first.json() == again.json()
    assert first.json()["read_at"] == "2026-03-02T09:00:00Z"
    assert (await sam.get("/v1/notifications?unread=true")).json()["items"] == []
    assert len((await sam.get("/v1/notifications?unread=false")).json()["items"]) == 1
    bea = staffed.http("manager", employee_id="bea", org_units=["north"])
    refused = await bea.post(f"/v1/notifications/{mine['id']}/read")
    assert refused.status_code == 404


@pytest.mark.parametrize("parameter", ["kind=lunch", "recipient=boss"])
async def test_the_list_is_narrowed(staffed: Box, parameter: str) -> None:
    await tell(staffed, "sam")
    found = await staffed.http("admin").get(f"/v1/notifications?{parameter}")
    assert found.json()["items"] == []
