"""Somebody who looks where they should not finds nothing: no peer's figure, and nobody in a small team."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.kpi_aggregator.facts import answered, deliver_all, directory

from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from kpi_aggregator.main import service

pytestmark = pytest.mark.fault(20)

SCOPES = ("employee/m1", "org_unit/north", "org_unit/glass", "cause/quality", "organisation/all")
MEASURED = ("n", "weight", "n_eff", "promoters", "passives", "detractors", "value", "ci95", "shrunk")


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(service, postgres) as opened:
        await opened.deliver(directory())
        yield opened


async def test_of_a_team_of_four_nothing_is_told_to_anybody_and_the_fifth_answer_opens_it(box: Box) -> None:
    await deliver_all(box, [answered(number, 9) for number in range(1, 5)])
    for role in ("admin", "analyst", "finance"):
        for scope in SCOPES:
            found = await box.http(role).get(f"/v1/kpis/nps/{scope}?period=2026Q1&view=influenced")
            assert found.json()["suppressed"], scope
            assert [found.json()[name] for name in MEASURED] == [None] * len(MEASURED), scope
    await deliver_all(box, [answered(5, 9)])
    for scope in SCOPES:
        found = await box.http("analyst").get(f"/v1/kpis/nps/{scope}?period=2026Q1&view=influenced")
        assert (found.json()["suppressed"], found.json()["n"]) == (False, 5), scope


async def test_a_peers_figures_are_as_if_there_were_no_such_person(box: Box) -> None:
    await deliver_all(box, [answered(number, 9, employee="m2") for number in range(1, 10)])
    m1 = box.http("employee", employee_id="m1", org_units=["north"])
    peer = await m1.get("/v1/kpis/nps/employee/m2")
    nobody = await m1.get("/v1/kpis/nps/employee/nobody")
    listed = await m1.get("/v1/kpis/nps/employee?period=2026Q1")
    assert (peer.status_code, nobody.status_code) == (404, 404)
    assert peer.json()["detail"].replace("m2", "nobody") == nobody.json()["detail"]
    assert [one["scope_id"] for one in listed.json()["items"]] == ["m1"]
