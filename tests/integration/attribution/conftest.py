"""A running attribution service on a database of its own."""

from collections.abc import AsyncIterator

import pytest

from attribution.main import service
from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(service, postgres) as running_box:
        yield running_box
