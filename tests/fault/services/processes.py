"""Fairloop's own services as processes that a test kills: `python -m <package>.main api | worker`, started faster.

Python's fork server has loaded everything; each process it forks runs what ships, `fairloop.serve.run_server`.
"""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Literal

import httpx
from tests.fault.processes import ServiceProcess, until

from fairloop.serve import run_server
from fairloop.testing import ENVIRONMENT
from fairloop.testing_kafka import free_ports
from fairloop.trust import trusted

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        __name__,
        "survey_intake.main",
        "closed_loop.main",
        "uvloop",
        "uvicorn.lifespan.on",
        "fairloop.log.postgres",
    ]
)


def live(package: str, what: Literal["api", "worker"], environment: dict[str, str], output: str) -> None:
    """The life of one process. What it says goes to the file `output`."""
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.environ.update(environment)
    run_server(import_module(f"{package}.main").service, api=what == "api", worker=what == "worker")


class Processes:
    """The processes of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[int, ForkServerProcess] = {}
        self._clients: dict[int, httpx.AsyncClient] = {}

    async def start(self, package: str, what: Literal["api", "worker"], **settings: str) -> ServiceProcess:
        """A new process that answers HTTP; `settings` by name, beside those of every test."""
        [port] = free_ports(1)
        output = self._folder / f"{package}-{len(self._started)}.log"
        told = {**ENVIRONMENT, **settings, "port": str(port)}
        environment = {f"FAIRLOOP_{name.upper()}": value for name, value in told.items()}
        forked = _FORKS.Process(target=live, args=(package, what, environment, str(output)))
        forked.start()
        assert forked.pid is not None
        self._started[forked.pid] = forked
        process = ServiceProcess(package, forked.pid, output, port)

        async def answers() -> bool:
            assert forked.is_alive(), output.read_text()
            try:
                return (await self.client(process).get("/healthz")).is_success
            except httpx.TransportError:
                return False

        await until(answers, f"{package} answers")
        return process

    def client(self, process: ServiceProcess) -> httpx.AsyncClient:
        """Speaks HTTP to a process; one for each, because making one is slow."""
        if process.pid not in self._clients:
            url = f"http://127.0.0.1:{process.port}"
            self._clients[process.pid] = httpx.AsyncClient(base_url=url, timeout=30, verify=trusted())
        return self._clients[process.pid]

    async def buried(self, process: ServiceProcess) -> int | None:
        """Until a killed process has ended; its exit status."""
        forked = self._started[process.pid]
        await asyncio.to_thread(forked.join, 20)
        return forked.exitcode

    async def end(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        for forked in self._started.values():
            forked.kill()
            forked.join()


@asynccontextmanager
async def processes_in(folder: Path) -> AsyncIterator[Processes]:
    """Whatever still runs at the end is killed."""
    opened = Processes(folder)
    try:
        yield opened
    finally:
        await opened.end()
