"""Running one service's own commands (`parked`, `bootstrap`, …) with the environment of this installation."""

import os
import subprocess

from fairloop.cli.installation import Installation, ServiceSpec
from fairloop.cli.keeper import service_command
from fairloop.cli.records import running_supervisor
from fairloop.cli.vault import open_vault
from fairloop.cli.wiring import Wiring, wire
from fairloop.embedded import EmbeddedError


def as_started(installation: Installation) -> Installation:
    """The installation as its running supervisor knows it, so that a terminal needs no variables beside the home."""
    running = running_supervisor(installation)
    if running is None:
        return installation
    return Installation.of({**os.environ, **running.environment, "FAIRLOOP_HOME": str(installation.home)})


def wiring_of(installation: Installation) -> Wiring:
    """How to reach the installation's databases. Raises EmbeddedError when they are not there."""
    if not (installation.data / "secrets.json").exists():
        raise EmbeddedError(f"nothing was started in {installation.home} yet: `fairloop up`")
    return wire(as_started(installation), open_vault(installation.data))


def reachable_wiring_of(installation: Installation) -> Wiring:
    """The same, with the databases running. Raises EmbeddedError."""
    wiring = wiring_of(installation)
    if wiring.postgres is not None and not wiring.postgres.is_running:
        raise EmbeddedError(f"the installation in {installation.home} is not running: `fairloop up`")
    return wiring


def run_in_service(wiring: Wiring, service: ServiceSpec, *arguments: str) -> int:
    """The command's exit status; it writes to our terminal itself."""
    command = service_command(service.package, *arguments)
    return subprocess.run(command, env=wiring.environment(service), check=False).returncode
