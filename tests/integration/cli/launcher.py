"""An installation in a temporary folder, run through the `fairloop` command as a person would."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fairloop.cli.installation import SERVICES, Installation
from fairloop.cli.records import Processes, load_processes
from fairloop.cli.vault import open_vault
from fairloop.cli.wiring import embedded_server
from fairloop.embedded import PostgresServer


@dataclass(frozen=True)
class Launcher:
    """The command line over one installation. `prefix` goes before the command, say to change the user."""

    installation: Installation
    prefix: Sequence[str] = ()
    python: str = sys.executable

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, self.python, "-m", "fairloop.cli", *arguments],
            env={**self.installation.environment, **more},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def up(self, **more: str) -> None:
        done = self.run("up", **more)
        assert done.returncode == 0, done.stdout + done.stderr

    def run_json(self) -> Any:
        return json.loads(self.installation.run_file.read_text())

    def pid(self, service: str) -> int:
        (pid,) = self.run_json()["pids"][service]
        return int(pid)

    def processes(self) -> Processes:
        processes = load_processes(self.installation)
        assert processes is not None
        return processes

    def environment_of(self, service: str) -> dict[str, str]:
        url = self.run_json()["services"][service]
        return dict(httpx.get(f"{url}/environment").json())


def free_port_base() -> int:
    """A base whose five ports nobody uses now."""
    while True:
        base = random.randrange(10_000, 15_000, 10)
        try:
            with ExitStack() as stack:
                for service in SERVICES:
                    attempt = stack.enter_context(socket.socket())
                    attempt.bind(("127.0.0.1", base + service.place))
        except OSError:
            continue
        return base


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def installation_in(home: Path, services: Path, **more: str) -> Installation:
    """An installation with nothing of this machine's environment but the path, and stand-ins for the services."""
    return Installation.of(
        {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(services),
            "FAIRLOOP_HOME": str(home),
            "FAIRLOOP_PORT_BASE": str(free_port_base()),
            **more,
        }
    )


def write_stand_ins(folder: Path) -> Path:
    """Give each service's package a stand-in in this folder; answers the folder."""
    shutil.copy(Path(__file__).with_name("stand_in.py"), folder)
    for service in SERVICES:
        package = folder / service.package
        package.mkdir()
        package.joinpath("__init__.py").touch()
        package.joinpath("main.py").write_text(
            f"import sys\nfrom stand_in import main\n\nmain({service.package!r}, *sys.argv[1:])\n"
        )
    return folder


def server_of(launcher: Launcher) -> PostgresServer:
    return embedded_server(launcher.installation, open_vault(launcher.installation.data))
