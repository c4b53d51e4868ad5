"""`fairloop up`, `down` and `reset`."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from fairloop.cli import progress
from fairloop.cli.data_version import is_ours
from fairloop.cli.installation import Installation
from fairloop.cli.log_files import tail
from fairloop.cli.records import (
    Processes,
    kill_group,
    load_processes,
    running_supervisor,
    signal_process,
    stop_orphans,
)
from fairloop.cli.vault import open_vault
from fairloop.cli.wiring import embedded_server
from fairloop.embedded import EmbeddedError

STOP_PATIENCE = 90.0
"""Seconds for a supervisor to stop the services (20 s each, side by side) and then PostgreSQL."""


def up(installation: Installation, say: Callable[[str], None]) -> bool:
    """Start everything and wait until it is ready; False when it was up already. Raises EmbeddedError."""
    if running_supervisor(installation) is not None:
        return False
    installation.home.mkdir(parents=True, exist_ok=True)
    installation.logs.mkdir(mode=0o700, exist_ok=True)
    supervisor = _spawn(installation)
    assert supervisor.stdout is not None
    try:
        for line in supervisor.stdout:
            match progress.understand(line):
                case progress.Step(text):
                    say(text)
                case progress.Failed(text):
                    supervisor.wait()
                    raise EmbeddedError(text)
                case progress.Ready():
                    return True
    except KeyboardInterrupt:
        say("stopping again")
        signal_process(supervisor.pid, signal.SIGTERM)
        supervisor.wait()
        raise
    supervisor.wait()
    path = installation.log_file("supervisor")
    raise EmbeddedError(f"the supervisor ended while starting ({path}):\n{tail(path)}")


def _spawn(installation: Installation) -> subprocess.Popen[bytes]:
    """The supervisor, in a session of its own: it outlives this command and its terminal."""
    with installation.log_file("supervisor").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "fairloop.cli.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=installation.home,
            env={**installation.environment, "FAIRLOOP_HOME": str(installation.home)},
            start_new_session=True,
        )


def down(installation: Installation) -> bool:
    """Stop everything and return when it is stopped; False when nothing ran. Raises EmbeddedError."""
    running = running_supervisor(installation)
    if running is not None:
        _stop_supervisor(running)
    return _stop_leftovers(installation) or running is not None


def _stop_supervisor(running: Processes) -> None:
    signal_process(running.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_PATIENCE
    while running.supervisor.is_alive:
        if time.monotonic() > deadline:
            kill_group(running.supervisor.pid)
        time.sleep(0.05)


def _stop_leftovers(installation: Installation) -> bool:
    """Stop what a killed supervisor left; True when there was something."""
    left = load_processes(installation)
    found = bool(left is not None and stop_orphans(left))
    if (installation.data / "secrets.json").exists():
        postgres = embedded_server(installation, open_vault(installation.data))
        if postgres.is_running:
            postgres.stop()
            found = True
    installation.run_file.unlink(missing_ok=True)
    installation.process_file.unlink(missing_ok=True)
    return found


def reset(installation: Installation) -> bool:
    """Stop everything and delete its data and logs; False when there was none. Raises EmbeddedError."""
    if not installation.data.exists():
        return False
    if not is_ours(installation.data):
        raise EmbeddedError(f"{installation.data} was not made by Fairloop; it is left alone")
    down(installation)
    for folder in (installation.data, installation.logs, installation.home / "programs"):
        shutil.rmtree(folder, ignore_errors=not folder.exists())
    (installation.home / "supervisor.lock").unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it: not ours to delete
        os.rmdir(installation.home)
    return True
