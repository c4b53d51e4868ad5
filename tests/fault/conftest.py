"""What every fault is tried on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.fault.logs import LogUnderTest, embedded_log, three_brokers
from tests.fault.pair import Pair, open_pair
from tests.fault.processes import Nursery, open_nursery
from tests.form import LONG

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.testing import temporary_database


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with open_nursery() as opened:
        yield opened


@pytest.fixture(scope="session")
async def brokers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LogUnderTest]:
    """Three real brokers, of this test process."""
    async with three_brokers(tmp_path_factory.mktemp("three")) as opened:
        yield opened


@pytest.fixture
async def on_kafka(brokers: LogUnderTest) -> AsyncIterator[LogUnderTest]:
    """The three brokers, all up again and every way healed when the test is over."""
    yield brokers
    brokers.heal()
    await brokers.start()


@pytest.fixture(scope="session")
def log_postgres() -> Iterator[PostgresServer]:
    """A server for embedded logs only, so that it can be stopped while the services' own goes on."""
    with temporary_postgres() as server:
        yield server


@pytest.fixture
async def on_embedded(log_postgres: PostgresServer) -> AsyncIterator[LogUnderTest]:
    """The embedded log, in a database of its own."""
    async with temporary_database(log_postgres) as db, embedded_log(log_postgres, db.url) as opened:
        yield opened
        opened.heal()
        await opened.start()


ON_KAFKA = pytest.param("kafka", marks=pytest.mark.kafka)

on_either_log = pytest.mark.parametrize(
    "log", ["embedded", ON_KAFKA] if LONG else ["embedded"], indirect=True
)
"""For faults that the log has no part in: the short form tries them on one."""


@pytest.fixture(params=["embedded", ON_KAFKA])
def log(request: pytest.FixtureRequest) -> LogUnderTest:
    """Both logs, one after the other."""
    found: LogUnderTest = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture
async def pair(
    nursery: Nursery, tmp_path: Path, postgres: PostgresServer, log: LogUnderTest
) -> AsyncIterator[Pair]:
    async with open_pair(nursery, tmp_path, postgres, log.url) as opened:
        yield opened


@pytest.fixture(scope="session")
def crashable() -> Iterator[PostgresServer]:
    """A database server of its own, for tests that stop it; each starts it again."""
    with temporary_postgres() as server:
        yield server
