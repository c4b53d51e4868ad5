"""closed-loop on a real database, knowing a small organisation."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.closed_loop.world import DIRECTORY

from closed_loop.main import service
from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    """The service before it has heard of anything. It is Monday, nine o'clock."""
    async with running(service, postgres) as started:
        yield started


@pytest.fixture
async def staffed(box: Box) -> Box:
    """The service with its directory."""
    await box.deliver(DIRECTORY)
    return box
