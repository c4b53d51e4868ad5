"""A running intake on a database of its own."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.survey_intake.platform import connect, connect_own

from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from survey_intake.main import service


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(service, postgres) as opened:
        yield opened


@pytest.fixture(scope="module")
async def door(postgres: PostgresServer) -> AsyncIterator[Box]:
    """One intake for all tests of a module that store nothing, with the connections `glass` and `own`."""
    async with running(service, postgres) as opened:
        await connect(opened)
        await connect_own(opened)
        yield opened
