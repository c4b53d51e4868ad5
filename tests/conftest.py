"""Real parts for every test that asks for them, started once a run."""

import os
from collections.abc import Iterator

import pytest
from tests import memory
from tests.fault import table

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.testing_kafka import kafka

__all__ = ["kafka", "postgres"]

LONGEST = ("brokers", "installation", "broker", "cli test_lifecycle")
"""Groups of tests that take minutes."""


def pytest_configure(config: pytest.Config) -> None:
    if made := memory.folder():
        config.add_cleanup(lambda: memory.forget(made))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test processes side by side take whole files, and all that shares brokers or an installation together.

    They take them in this order: what takes longest comes first.
    """
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: LONGEST.index(groups[item]) if groups[item] in LONGEST else len(LONGEST))
    table.number(items)


def _group(item: pytest.Item) -> str:
    """What has to be started once only, or takes long to start; else the file."""
    fixtures = getattr(item, "fixturenames", ())
    marked = {mark.name for mark in item.iter_markers()}
    if "brokers" in fixtures or {"fault", "kafka"} <= marked:
        return "brokers"
    if "kafka" in marked:
        return "broker"
    if "installation" in fixtures:
        return "installation"
    folder = item.path.parent
    return "fault services" if folder.match("fault/services") else f"{folder.name} {item.path.stem}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table.show(terminalreporter)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server of this test run."""
    with temporary_postgres() as server:
        yield server
