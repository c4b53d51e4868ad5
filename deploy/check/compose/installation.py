"""compose.yaml as an operator brings it up, under a project name and ports of the check's own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairloop.cli.installation import SERVICE_NAMES, SERVICES

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
PROJECT = "fairloop-check"
PORT_PREFIX = "181"
"""18101 and so on, where compose.yaml has 8101."""
URLS = {service.name: f"http://127.0.0.1:{PORT_PREFIX}0{service.place}" for service in SERVICES}
PROCESSES = [f"{name}-{part}" for name in SERVICE_NAMES for part in ("api", "worker")]
UP_SECONDS = "600"


class Installation:
    """`program` is docker compose; `files` are compose.yaml and what goes over it."""

    def __init__(self, program: Path, files: Sequence[str], environment: Mapping[str, str]) -> None:
        named = [argument for file in files for argument in ("-f", str(DEPLOY / file))]
        self._program, self._files = program, files
        self._command = [str(program), "--project-name", PROJECT, *named]
        self._environment = {**environment, "FAIRLOOP_PORT_PREFIX": PORT_PREFIX}

    def at_version(self, version: str) -> "Installation":
        """The same one with our images of another version."""
        return Installation(self._program, self._files, {**self._environment, "FAIRLOOP_VERSION": version})

    def compose(self, *arguments: str) -> str:
        """What it printed. Raises RuntimeError with what it said when it fails."""
        return _said([*self._command, *arguments], self._environment)

    def pipe(self, *arguments: str, into: Path | None = None, out: Path | None) -> None:
        """What is in one file goes in, what comes out to another. Raises RuntimeError."""
        with (into or Path(os.devnull)).open("rb") as read, (out or Path(os.devnull)).open("wb") as written:
            done = subprocess.run(
                [*self._command, *arguments],
                check=False,
                stdin=read,
                stdout=written,
                stderr=subprocess.PIPE,
                env=self._environment,
            )
        if done.returncode != 0:
            raise RuntimeError(f"compose {' '.join(arguments)}:\n{done.stderr[-4000:].decode()}")

    def up(self, *options: str, profiles: Sequence[str] = ()) -> None:
        """All services of the profiles, or only those named among the options, until they are healthy."""
        chosen = [f"--profile={profile}" for profile in profiles]
        try:
            self.compose(*chosen, "up", "--detach", "--wait", "--wait-timeout", UP_SECONDS, *options)
        except RuntimeError as error:
            logs = self.compose("logs", "--no-color", "--tail", "15")
            raise RuntimeError(f"{error}\n{self.compose('ps', '--all')}\n{logs[-12_000:]}") from error

    def down(self) -> None:
        """With its data and its networks."""
        self.compose("--profile=*", "down", "--volumes", "--timeout", "20")

    def inside(self, name: str, *command: str) -> str:
        """What a command prints in a running container."""
        return self.compose("exec", "-T", name, *command).strip()

    def containers(self, *names: str) -> list[dict[str, Any]]:
        """`docker inspect` of each; of all that run when none is named."""
        ids = self.compose("ps", "--all", "--quiet", *names).split()
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", *ids))
        return found

    def crash(self, name: str) -> str:
        """End a container's process as a crash would: the engine is to start it again by itself.

        Where the engine runs on another machine nobody can reach the process past it; then compose starts it.
        """
        before = self.containers(name)[0]
        process = int(before["State"]["Pid"])
        ours = _is_of(process, before["Id"])
        if ours:
            os.kill(process, signal.SIGKILL)
        else:
            self.docker("kill", before["Id"])
            self.up(name)

        def is_back() -> bool:
            now = json.loads(self.docker("inspect", before["Id"]))[0]["State"]
            return bool(
                now["StartedAt"] != before["State"]["StartedAt"] and now["Health"]["Status"] == "healthy"
            )

        until(is_back, f"{name} is healthy again")
        return "started again by the engine" if ours else "started again by compose"

    def heal(self) -> None:
        """Wait until everything is healthy by itself. (`up --wait` gives up on a container that is not yet.)"""

        def is_healthy() -> bool:
            states = [container["State"] for container in self.containers()]
            return all(state["Health"]["Status"] == "healthy" for state in states if "Health" in state)

        until(is_healthy, "every container is healthy again")

    def stop(self) -> str:
        """Every process of ours ends by itself, none is killed. Raises RuntimeError; says how long the slowest took."""
        began = datetime.now(UTC)
        self.compose("stop")
        took = 0.0
        for container in self.containers(*PROCESSES):
            state = container["State"]
            if state["ExitCode"] != 0:
                raise RuntimeError(f"{container['Name']} ended with status {state['ExitCode']}")
            took = max(took, (datetime.fromisoformat(state["FinishedAt"]) - began).total_seconds())
        if took > 20:
            raise RuntimeError(f"the last process ended after {took:.0f} s")
        return f"ours all with status 0, the last after {took:.1f} s"

    def image_bytes(self, image: str) -> int:
        return int(self.docker("image", "inspect", "--format", "{{.Size}}", image))

    def engine_version(self) -> str:
        return f"Docker {self.docker('version', '--format', '{{.Server.Version}}')}"

    def docker(self, *arguments: str) -> str:
        return _said(["docker", *arguments], self._environment).strip()


def _said(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def _is_of(process: int, container: str) -> bool:
    """Whether it is this machine's process of that number that runs in the container."""
    try:
        return container in Path(f"/proc/{process}/cgroup").read_text()
    except OSError:
        return False


def until(holds: Callable[[], bool], what: str, *, seconds: float = 300.0) -> None:
    """Raises RuntimeError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)
