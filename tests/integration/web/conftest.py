"""The things service on a real database."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from tests.integration.web.things import Base, service

from fairloop.embedded import PostgresServer
from fairloop.peers import peer_client
from fairloop.service import Runtime
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT, Box, ManualClock, temporary_database
from fairloop.web.app import create_app
from fairloop.web.health import Health


@asynccontextmanager
async def serving_things(
    postgres: PostgresServer, *, env: Mapping[str, object] | None = None
) -> AsyncIterator[Box]:
    """The service in a database of its own on this server. `env` are settings by name."""
    async with temporary_database(postgres) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        settings = ServiceSettings.model_validate({**ENVIRONMENT, **(env or {})})
        runtime = Runtime(settings=settings, db=db, peers=peer_client(settings))
        made = Box(service, runtime, create_app(service, runtime, Health()), ManualClock())
        yield made
        await made.close()


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with serving_things(postgres) as made:
        yield made
