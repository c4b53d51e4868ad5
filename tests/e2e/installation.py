"""A real installation: five services as processes, started and stopped with the command line."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fairloop.trust import trusted


@dataclass(frozen=True)
class Installation:
    """One running installation."""

    home: Path
    environment: dict[str, str]

    def fairloop(self, *arguments: str) -> str:
        """Run one command; its output. Fails the test when the command fails."""
        done = subprocess.run(
            [sys.executable, "-m", "fairloop.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.home / "run.json").read_text())
        return state

    def url(self, service: str) -> str:
        url: str = self.state()["services"][service]
        return url

    def client(self, service: str) -> httpx.AsyncClient:
        """As the administrator."""
        headers = {"Authorization": f"Bearer {self.state()['tokens']['admin']}"}
        return httpx.AsyncClient(base_url=self.url(service), headers=headers, timeout=60, verify=trusted())

    def pid(self, service: str) -> int:
        (pid,) = self.state()["pids"][service]
        return int(pid)

    def kill(self, service: str) -> int:
        """kill -9; the process that is no more."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-4000:]}"
            for path in sorted((self.home / "logs").glob("*.log"))
        )


def _free_base() -> int:
    while True:
        base = random.randrange(15_000, 20_000, 10)
        try:
            with ExitStack() as stack:
                for place in range(1, 6):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", base + place))
        except OSError:
            continue
        return base


@contextmanager
def installed(home: Path, *, prepared: Path | None = None, **environment: str) -> Iterator[Installation]:
    """Up, and down at the end; on a copy of the home `prepared`, which has its tables."""
    if prepared is not None:
        subprocess.run(["cp", "-a", prepared, home], check=True)  # keeps whose files they are
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLOOP_")}
    settings = {"FAIRLOOP_HOME": str(home), "FAIRLOOP_PORT_BASE": str(_free_base()), **environment}
    installation = Installation(home, {**inherited, **settings})
    try:
        installation.fairloop("up")
        yield installation
    finally:
        installation.fairloop("down")
