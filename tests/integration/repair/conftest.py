"""Services on databases of their own, and the pipeline of the runtime's tests on both logs."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.bonus.conftest import aggregator, office
from tests.integration.runtime.conftest import kafka_url, pipeline

from attribution.main import service as attribution
from closed_loop.main import service as closed_loop
from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from kpi_aggregator.main import service as kpi_aggregator
from survey_intake.main import service as survey_intake

__all__ = ["aggregator", "kafka_url", "office", "pipeline"]


@pytest.fixture
async def intake(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(survey_intake, postgres) as box:
        yield box


@pytest.fixture
async def attributing(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(attribution, postgres) as box:
        yield box


@pytest.fixture
async def figures(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(kpi_aggregator, postgres) as box:
        yield box


@pytest.fixture
async def cases(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(closed_loop, postgres) as box:
        yield box
