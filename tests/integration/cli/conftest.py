"""Installations to test, each in a temporary folder and on ports of its own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.launcher import Launcher, installation_in, write_stand_ins


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with a stand-in for each service's package."""
    return write_stand_ins(tmp_path_factory.mktemp("services"))


@pytest.fixture
def launcher(tmp_path: Path, stand_ins: Path) -> Iterator[Launcher]:
    """A new installation; stopped at the end whatever happened."""
    launcher = Launcher(installation_in(tmp_path / "home", stand_ins))
    yield launcher
    launcher.run("down")


@pytest.fixture(scope="module")
def founded_home(tmp_path_factory: pytest.TempPathFactory, stand_ins: Path) -> Path:
    """The home of an installation that was up once, and is down."""
    home = tmp_path_factory.mktemp("founded") / "home"
    once = Launcher(installation_in(home, stand_ins))
    once.up()
    once.run("down")
    return home


@pytest.fixture
def founded(tmp_path: Path, stand_ins: Path, founded_home: Path) -> Iterator[Launcher]:
    """An installation with data, down: a copy, which starts in half the time a new one needs."""
    subprocess.run(["cp", "-a", founded_home, tmp_path / "home"], check=True)  # keeps whose files they are
    launcher = Launcher(installation_in(tmp_path / "home", stand_ins))
    yield launcher
    launcher.run("down")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, stand_ins: Path) -> Iterator[Launcher]:
    """An installation that is up and stays so: for tests that leave it as they found it."""
    launcher = Launcher(installation_in(tmp_path_factory.mktemp("installation") / "home", stand_ins))
    launcher.up()
    yield launcher
    launcher.run("down")
