"""The service on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from kpi_aggregator.main import service


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(service, postgres) as box:
        yield box
