"""Real parts for every test that asks for them, started once a run."""

from collections.abc import Iterator

import pytest
from tests.fault import table

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.testing_kafka import kafka

__all__ = ["kafka", "postgres"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test processes side by side take whole files, and all that needs the three brokers together."""
    for item in items:
        together = "brokers" in getattr(item, "fixturenames", ()) or (
            item.get_closest_marker("fault") is not None and item.get_closest_marker("kafka") is not None
        )
        item.add_marker(pytest.mark.xdist_group("brokers" if together else item.path.stem))
    table.number(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table.show(terminalreporter)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server of this test run."""
    with temporary_postgres() as server:
        yield server
