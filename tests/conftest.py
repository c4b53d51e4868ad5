"""Real parts for every test that asks for them, started once a run."""

from collections.abc import Iterator

import pytest

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.testing_kafka import kafka

__all__ = ["kafka", "postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server of this test run."""
    with temporary_postgres() as server:
        yield server
