"""Installations: one for the tests that leave it as they found it, and a home to begin others with."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.installation import Installation, installed


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with databases and tables and nothing in them, made once a run: a copy of it starts in half the time."""
    own = tmp_path_factory.getbasetemp()
    home = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "data").exists():
            with installed(home):
                pass
    return home


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("shared") / "home", prepared=prepared) as up:
        yield up
