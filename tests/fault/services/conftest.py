"""What the services' faults are tried on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fault.proxy import Proxy
from tests.fault.services.line import Line, five_services
from tests.fault.services.processes import Processes, processes_in

from fairloop.embedded import PostgresServer


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    async with processes_in(tmp_path) as opened:
        yield opened


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy() as opened:
        yield opened


@pytest.fixture
async def line(postgres: PostgresServer) -> AsyncIterator[Line]:
    async with five_services(postgres) as opened:
        yield opened
