"""Who may read what: another person's object does not exist."""

from typing import Any

import pytest
from tests.integration.attribution.company import job, post, response, set_up

from fairloop.testing import Box


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    ("roles", "who", "expected"),
    [
        (["employee"], {"employee_id": "m1"}, 200),
        (["employee"], {"employee_id": "m2"}, 404),
        (["manager"], {"employee_id": "boss", "org_units": ["north"]}, 200),
        (["manager"], {"employee_id": "top", "org_units": ["company"]}, 200),
        (["manager"], {"employee_id": "other", "org_units": ["supply"]}, 404),
        (["analyst"], {}, 200),
        (["service"], {}, 200),
        (["works_council"], {}, 403),
        (["finance"], {}, 403),
        ([], {}, 401),
    ],
)
async def test_attributions_are_for_those_who_took_part(
    box: Box, roles: list[str], who: dict[str, Any], expected: int
) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1")
    await box.deliver([event])
    client = box.http(*roles, **who)
    assert (await client.get(f"/v1/attributions/{event.response_id}")).status_code == expected


async def test_names_of_people_are_for_themselves_and_their_managers(box: Box) -> None:
    await set_up(box)
    mechanic = box.http("employee", employee_id="m1")
    assert (await mechanic.get("/v1/employees/m1")).json()["name"] == "Name of m1"
    assert (await mechanic.get("/v1/employees/m2")).status_code == 404
    assert [one["id"] for one in (await mechanic.get("/v1/employees")).json()["items"]] == ["m1"]
    boss = box.http("manager", employee_id="boss", org_units=["north"])
    assert [one["id"] for one in (await boss.get("/v1/employees")).json()["items"]] == ["boss", "m1", "m2"]
    assert (await boss.get("/v1/assignments/s1-scheduler")).status_code == 404


async def test_everybody_may_read_the_rules_and_few_may_write_them(box: Box) -> None:
    await set_up(box)
    for role in ("works_council", "employee", "finance"):
        client = box.http(role)
        assert (await client.get("/v1/taxonomies/windscreen")).status_code == 200
        assert (await client.get("/v1/influence-matrices/windscreen")).status_code == 200
        assert (await client.put("/v1/roles/r", json={"name": "x"})).status_code == 403
        assert (await client.post("/v1/interactions", json=job("j1"))).status_code == 403
        assert (await client.get("/v1/unmatched")).status_code == 403
