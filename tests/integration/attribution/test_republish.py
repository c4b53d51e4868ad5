"""What a consumer that starts from nothing is told."""

from tests.integration.attribution.company import job, post, put, response, set_up

from attribution.main import service
from fairloop.events import (
    Account,
    Assignment,
    AttributionResult,
    Employee,
    EventData,
    Interaction,
    OrgUnit,
    Role,
)
from fairloop.testing import Box


async def test_republish_tells_the_newest_state_of_everything_in_its_version(box: Box) -> None:
    admin = await set_up(box)
    await put(admin, "/v1/org-units/north", {"name": "Nord", "parent": "company"})
    await put(admin, "/v1/accounts/c1", {"owner": "m1"})
    await box.deliver([response("quality", ref="j1"), response()])
    await post(admin, "/v1/interactions", job("j1", "m1"))

    assert service.republish is not None
    async with box.db.begin() as session:
        told = {event.key: event async for event in service.republish(box.runtime, session)}
    newest: dict[str, EventData] = {}
    for kind in (OrgUnit, Role, Employee, Assignment, Account, Interaction, AttributionResult):
        newest |= {event.key: event for event in await box.published(kind)}
    assert told == newest
