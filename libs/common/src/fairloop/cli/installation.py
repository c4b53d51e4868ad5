"""Where an installation lives and which five services it runs."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fairloop import services

DEFAULT_HOME = ".fairloop"
DEFAULT_PORT_BASE = 8100
LOG_DATABASE = "fairloop_log"
LOG_VARIABLE = "FAIRLOOP_LOG_URL"


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    name: str
    package: str
    """Its Python package; its database and role bear the same name."""
    place: int
    """Its port is the installation's base port plus this."""

    @property
    def database_variable(self) -> str:
        """The environment variable that names a real database for it."""
        return f"FAIRLOOP_DATABASE_URL_{self.package.upper()}"

    @property
    def log_variable(self) -> str:
        """The environment variable with its own credentials for a log that all share."""
        return f"{LOG_VARIABLE}_{self.package.upper()}"


SERVICES = tuple(
    ServiceSpec(name, package, place)
    for place, (name, package) in enumerate(services.SERVICES.items(), start=1)
)
SERVICE_NAMES = tuple(services.SERVICES)


def service_named(name: str) -> ServiceSpec:
    """Raises KeyError."""
    return {service.name: service for service in SERVICES}[name]


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its folder, its ports and what its environment says about the servers to use."""

    home: Path
    port_base: int
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The installation that FAIRLOOP_HOME and FAIRLOOP_PORT_BASE name. Raises ValueError for a port base that is none."""
        base = environment.get("FAIRLOOP_PORT_BASE") or str(DEFAULT_PORT_BASE)
        if not (base.isascii() and base.isdecimal()) or not 1 <= int(base) <= 65_000:
            raise ValueError(f"FAIRLOOP_PORT_BASE is {base!r}; it must be a number from 1 to 65000")
        home = Path(environment.get("FAIRLOOP_HOME") or DEFAULT_HOME).absolute()
        return cls(home, int(base), dict(environment))

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run_file(self) -> Path:
        """What programs read to find the running services."""
        return self.home / "run.json"

    @property
    def process_file(self) -> Path:
        """What the launcher itself remembers of the processes it started."""
        return self.home / "processes.json"

    @property
    def moved_log_file(self) -> Path:
        """Where the log went: written by `fairloop log move`, JSON with `log_url`."""
        return self.data / "log.json"

    @property
    def log_url(self) -> str | None:
        """The log as the environment names it, else the one it was moved to; None for the embedded one."""
        if url := self.environment.get(LOG_VARIABLE):
            return url
        if not self.moved_log_file.exists():
            return None
        return str(json.loads(self.moved_log_file.read_text())["log_url"])

    def log_file(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def hold_file(self, service: ServiceSpec) -> Path:
        """While it is there the service is not started: its database is being restored."""
        return self.home / f"{service.name}.hold"

    def port(self, service: ServiceSpec) -> int:
        return self.port_base + service.place

    def url(self, service: ServiceSpec) -> str:
        return f"http://127.0.0.1:{self.port(service)}"

    def urls(self) -> dict[str, str]:
        return {service.name: self.url(service) for service in SERVICES}

    @property
    def needs_postgres(self) -> bool:
        """False when every database and the log are real servers."""
        return not self.log_url or any(not self.environment.get(s.database_variable) for s in SERVICES)
