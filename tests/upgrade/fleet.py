"""The five services as a container platform runs them: processes of either version, a stable address in front of each."""

import asyncio
import json
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.fault.processes import until
from tests.fault.proxy import HOST, Proxy
from tests.upgrade.versions import Version

from fairloop.cli.installation import LOG_DATABASE, LOG_VARIABLE, SERVICES, Installation, service_named
from fairloop.cli.keeper import service_command
from fairloop.cli.vault import Vault, open_vault
from fairloop.cli.wiring import Wiring, wire
from fairloop.embedded import PostgresServer
from fairloop.testing_kafka import free_ports

START_SECONDS = 240.0
"""On a machine that is busy with other things."""
STOP_SECONDS = 20.0


@dataclass
class Instance:
    """One process of one version of a service."""

    service: str
    version: Version
    port: int
    process: Process
    output: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def readyz(self) -> dict[str, Any] | None:
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                answer = await client.get(f"{self.url}/readyz")
        except httpx.TransportError:
            return None
        return {"code": answer.status_code, **answer.json()}


@dataclass
class Fleet:
    """`instances`: those that get requests, of each service the newest last."""

    folder: Path
    wiring: Wiring
    fronts: dict[str, Proxy]
    instances: dict[str, list[Instance]] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.wiring.installation.home

    @property
    def environment(self) -> Mapping[str, str]:
        return self.wiring.installation.environment

    @property
    def log_url(self) -> str:
        return self.wiring.log_url

    def database(self, service: str) -> str:
        return self.wiring.database_url(service_named(service))

    def url(self, service: str) -> str:
        """Where peers and people find it."""
        return f"http://{HOST}:{self.fronts[service].port}"

    async def run(self, service: str, version: Version, *command: str) -> None:
        """A command of a service that ends."""
        process, output = await self._begin(service, version, *command)
        assert await process.wait() == 0, output.read_text()[-3000:]

    async def start(self, service: str, version: Version) -> Instance:
        """Returns when it is ready; from then on it gets requests, beside those that run already."""
        [port] = free_ports(1)
        process, output = await self._begin(service, version, "all", port=port)
        instance = Instance(service, version, port, process, output)

        async def ready() -> bool:
            assert process.returncode is None, output.read_text()[-3000:]
            return (await instance.readyz() or {}).get("status") == "ready"

        await until(ready, f"{service} of {version.name} is ready", seconds=START_SECONDS)
        self.instances.setdefault(service, []).append(instance)
        self.fronts[service].target = (HOST, port)
        return instance

    async def retire(self, instance: Instance) -> float:
        """SIGTERM; requests go elsewhere once it says that it is unready. The seconds until it has ended."""
        began = time.monotonic()
        instance.process.send_signal(signal.SIGTERM)

        async def unready() -> bool:
            state = await instance.readyz()
            return state is None or state["code"] != 200

        await until(unready, "a process that is to stop says so")
        self.instances[instance.service].remove(instance)
        status = await asyncio.wait_for(instance.process.wait(), STOP_SECONDS)
        assert status == 0, instance.output.read_text()[-3000:]
        return time.monotonic() - began

    async def stop(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _begin(
        self, service: str, version: Version, *command: str, port: int = 0
    ) -> tuple[Process, Path]:
        spec = service_named(service)
        environment = {
            **self.wiring.environment(spec),
            "PYTHONPATH": version.python_path,
            "FAIRLOOP_PORT": str(port),
            "FAIRLOOP_DRAIN_SECONDS": "2",
            "FAIRLOOP_PEER_URLS": json.dumps({name: self.url(name) for name in self.fronts}),
        }
        output = self.folder / f"{service}-{len(self.processes)}.log"
        with output.open("wb") as written:
            process = await asyncio.create_subprocess_exec(
                *service_command(spec.package, *command),
                stdin=DEVNULL,
                stdout=written,
                stderr=STDOUT,
                env=environment,
            )
        self.processes.append(process)
        return process, output


@asynccontextmanager
async def fleet_in(
    folder: Path, postgres: PostgresServer, inherited: Mapping[str, str]
) -> AsyncIterator[Fleet]:
    """Databases with nothing in them, and nothing that runs; what is started is killed at the end."""
    home = folder / "home"
    (home / "data").mkdir(parents=True)
    vault = open_vault(home / "data")
    for name, password in vault.database_passwords.items():
        await postgres.ensure_role_and_database(name, password)
    environment = {
        **{name: value for name, value in inherited.items() if not name.startswith("FAIRLOOP_")},
        **{spec.database_variable: _url(postgres, vault, spec.package) for spec in SERVICES},
        LOG_VARIABLE: _url(postgres, vault, LOG_DATABASE),
        "FAIRLOOP_HOME": str(home),
    }
    wiring = wire(Installation.of(environment), vault)
    async with AsyncExitStack() as stack:
        fronts = {spec.name: await stack.enter_async_context(Proxy()) for spec in SERVICES}
        fleet = Fleet(folder, wiring, fronts)
        stack.push_async_callback(fleet.stop)
        yield fleet


def _url(postgres: PostgresServer, vault: Vault, name: str) -> str:
    return postgres.url(name, role=name, password=vault.database_passwords[name])
