"""The same log, twice: every test that asks for `log` runs on PostgreSQL and on a real Kafka."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from fairloop.embedded import PostgresServer
from fairloop.log import open_log
from fairloop.log.port import Log
from fairloop.testing import temporary_database


@pytest.fixture(scope="session")
async def embedded_log(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of an embedded log in a database of its own."""
    async with temporary_database(postgres) as db:
        yield db.url


@pytest.fixture(params=["embedded_log", pytest.param("kafka", marks=pytest.mark.kafka)])
def log_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def log(log_url: str) -> AsyncIterator[Log]:
    async with open_log(log_url) as opened:
        yield opened


@pytest.fixture
async def topic(log: Log) -> str:
    """A new topic with four partitions."""
    name = f"topic-{uuid4().hex[:12]}"
    await log.create_topics({name: 4})
    return name


@pytest.fixture
def group() -> str:
    return f"group-{uuid4().hex[:12]}"
