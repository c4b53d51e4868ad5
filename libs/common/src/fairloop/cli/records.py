"""What is running: for other programs (`run.json`), and for the launcher to find its processes again."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import msgspec

from fairloop.cli.files import write_private
from fairloop.cli.installation import Installation
from fairloop.embedded import EmbeddedError
from fairloop.embedded.processes import started_at

STOP_SECONDS = 20.0
"""How long a service may take to finish what it is doing after SIGTERM."""


class Process(msgspec.Struct, frozen=True):
    """A process we started; the stamp tells it from a later one with the same pid."""

    pid: int
    stamp: str

    @property
    def is_alive(self) -> bool:
        return started_at(self.pid) == self.stamp


def process(pid: int) -> Process:
    return Process(pid, started_at(pid) or "gone")


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    supervisor: Process
    services: dict[str, Process] = {}
    environment: dict[str, str] = {}
    """The FAIRLOOP_ variables that `up` was called with."""


def load_processes(installation: Installation) -> Processes | None:
    try:
        return msgspec.json.decode(installation.process_file.read_bytes(), type=Processes)
    except FileNotFoundError:
        return None


def save_processes(installation: Installation, processes: Processes) -> None:
    write_private(installation.process_file, msgspec.json.encode(processes))


def running_supervisor(installation: Installation) -> Processes | None:
    """The record of the supervisor, when it is alive."""
    processes = load_processes(installation)
    return processes if processes is not None and processes.supervisor.is_alive else None


def write_run_file(
    installation: Installation, *, tokens: Mapping[str, str], log_url: str, pids: Mapping[str, Sequence[int]]
) -> None:
    content = {"services": installation.urls(), "tokens": tokens, "log_url": log_url, "pids": pids}
    write_private(installation.run_file, msgspec.json.format(msgspec.json.encode(content)))


def stop_orphans(processes: Processes) -> list[str]:
    """Stop the services whose supervisor is gone, and return when they are; answers their names."""
    orphans = {name: service for name, service in processes.services.items() if service.is_alive}
    for orphan in orphans.values():
        signal_process(orphan.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(orphan.is_alive for orphan in orphans.values()):
        time.sleep(0.05)
    for orphan in orphans.values():
        if orphan.is_alive:
            kill_group(orphan.pid)
    return list(orphans)


def signal_process(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_group(pid: int) -> None:
    """End a service and whatever it started: it leads a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@contextmanager
def only_one(installation: Installation) -> Iterator[None]:
    """Nobody else starts, restores or moves it meanwhile; the kernel gives the lock back when we end, however we end."""
    with (installation.home / "supervisor.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(f"another supervisor is at work in {installation.home}") from None
        yield
