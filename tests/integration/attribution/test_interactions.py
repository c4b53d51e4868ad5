"""Interactions are told to others as they stand, whether or not anybody answered."""

from tests.integration.attribution.company import job, key_of, post, set_up

from fairloop.events import Interaction
from fairloop.testing import Box


async def test_an_interaction_is_told_once_for_every_state_it_had(box: Box) -> None:
    admin = await set_up(box)
    first = job("j1", "m1", "s1", unverified=["s1"]) | {"attributes": {"window": "front", "wait": 20}}
    await post(admin, "/v1/interactions", first)
    await post(admin, "/v1/interactions", first)
    both = {"interactions": [first | {"attributes": {"window": "rear"}}, job("j2", customer="c2")]}
    await post(admin, "/v1/interactions", both)

    told = await box.published(Interaction)
    assert [(one.interaction, one.version) for one in told] == [("j1", 1), ("j1", 2), ("j2", 1)]
    assert [(p.employee, p.role, p.verified) for p in told[0].participants] == [
        ("m1", "mechanic", True),
        ("s1", "scheduler", False),
    ]
    assert (told[0].attributes, told[1].attributes) == ({"window": "front", "wait": 20}, {"window": "rear"})
    assert (told[2].customer, told[2].org_unit, told[2].touchpoint) == (key_of("c2"), "north", "repair")


async def test_interactions_are_listed_for_who_sent_them(box: Box) -> None:
    admin = await set_up(box)
    jobs = [job(f"j{n}", "m1") for n in range(3)] + [job("p1", "s1") | {"org_unit": "planning"}]
    await post(admin, "/v1/interactions", {"interactions": jobs})
    first = (await admin.get("/v1/interactions?org_unit=north&limit=2")).json()
    rest = (await admin.get(f"/v1/interactions?org_unit=north&limit=2&cursor={first['next']}")).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ["j0", "j1", "j2"]
    assert rest["next"] is None
    assert (await box.http("employee", employee_id="m1").get("/v1/interactions")).status_code == 403
