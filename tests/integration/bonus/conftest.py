"""The service on a real database, with a small directory and a stand-in for kpi-aggregator."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from bonus.main import service
from fairloop.embedded import PostgresServer
from fairloop.events import Assignment, Employee, OrgUnit
from fairloop.testing import Box, running

from .aggregator import Aggregator
from .office import Office


@pytest.fixture
def aggregator() -> Aggregator:
    return Aggregator()


@pytest.fixture
async def office(postgres: PostgresServer, aggregator: Aggregator) -> AsyncIterator[Office]:
    """Where publishing is strict."""
    async with running(service, postgres, peers=aggregator, env={"strict_publishing": True}) as box:
        await _hire(box)
        yield Office(box)


async def _hire(box: Box) -> None:
    """m1 and m2 are mechanics in north, below the company; s1 works in south."""
    places = {"m1": "north", "m2": "north", "s1": "south"}
    await box.deliver(
        [
            OrgUnit(version=1, org_unit="company", name="Company"),
            *(OrgUnit(version=1, org_unit=unit, name=unit, parent="company") for unit in ("north", "south")),
            *(Employee(version=1, employee=employee) for employee in places),
            *(
                Assignment(
                    version=1,
                    assignment=f"a-{employee}",
                    employee=employee,
                    role="mechanic",
                    org_unit=unit,
                    valid_from=date(2025, 1, 1),
                )
                for employee, unit in places.items()
            ),
        ]
    )
