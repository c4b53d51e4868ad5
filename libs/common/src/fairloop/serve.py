"""One running process of a service: its HTTP server, its worker, or both; ends cleanly on SIGTERM."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import structlog
import uvicorn

from fairloop import telemetry
from fairloop.db import Database
from fairloop.measuring import watch_readiness
from fairloop.peers import peer_client
from fairloop.service import Runtime, Service
from fairloop.settings import read_settings
from fairloop.tracing import traced
from fairloop.web.app import create_app
from fairloop.web.health import Health
from fairloop.web.one_write import OneWriteProtocol
from fairloop.worker import run_worker

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop

log = structlog.get_logger()

_IN_FLIGHT_SECONDS = 10
_STOP_SECONDS = 19.0
"""From SIGTERM on. Whoever stops us (launcher, container engine) is told to wait twenty before a kill."""
_GC_THRESHOLD = (
    20_000  # allocations between collections: at the default of 700 they cost a fifth of a request
)


class _Server(uvicorn.Server):
    """Signals are ours: readiness goes red before the listener closes."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def open_runtime(service: Service) -> AsyncIterator[Runtime]:
    """The resources of a process, as the environment says; closed at the end. Raises SettingsError."""
    settings = read_settings(service.settings)
    db = Database(settings.database_url, pool_size=settings.database_pool)
    try:
        yield Runtime(settings=settings, db=db, peers=peer_client(settings))
    finally:
        await db.close()


def run_server(service: Service, *, api: bool, worker: bool) -> None:
    run_settled(serve(service, api=api, worker=worker))


def run_settled(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one, with what was loaded so far kept out of garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)


async def serve(service: Service, *, api: bool, worker: bool) -> None:
    """Run until SIGTERM or SIGINT, or until a part fails (which is raised)."""
    telemetry.configure_logging(service.name)
    async with (
        open_runtime(service) as opened,
        traced(service.name, opened.settings.otlp_url) as tracing,
    ):
        runtime = replace(opened, tracing=tracing)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, runtime.stopping.set)
        health = Health()
        server = _Server(
            uvicorn.Config(
                create_app(service, runtime, health, with_api=api),
                host=runtime.settings.host,
                port=runtime.settings.port,
                http=OneWriteProtocol,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_IN_FLIGHT_SECONDS,
                backlog=4096,
            )
        )
        log.info("starting", api=api, worker=worker, port=runtime.settings.port)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(_serve_http(server, runtime), name="http")
            group.create_task(
                watch_readiness(service, runtime, health, worker_only=not api), name="readiness"
            )
            group.create_task(_drain(runtime, server, serving), name="drain")
            if worker:
                group.create_task(_work(service, runtime, health, serving), name="worker")
        log.info("stopped")


async def _serve_http(server: _Server, runtime: Runtime) -> None:
    try:
        await server.serve()
    finally:
        runtime.stopping.set()
    if not server.started:
        raise SystemExit(3)


async def _work(service: Service, runtime: Runtime, health: Health, serving: "asyncio.Task[None]") -> None:
    """A worker that fails ends the process, but not the requests in flight."""
    try:
        await run_worker(service, runtime, health)
    except Exception:
        runtime.stopping.set()
        await asyncio.wait({serving})
        raise


async def _drain(runtime: Runtime, server: _Server, serving: "asyncio.Task[None]") -> None:
    """Readiness is red already; answer on until load balancers have noticed, then let requests in flight finish."""
    await runtime.stopping.wait()
    asyncio.get_running_loop().call_later(_STOP_SECONDS, _give_up)
    if not serving.done():
        log.info("draining")
        await asyncio.sleep(runtime.settings.drain_seconds)
        server.should_exit = True


def _give_up() -> None:
    """Something hangs, say a database that is gone without a word: whatever was under way is as after a crash."""
    log.error("stopping_took_too_long", seconds=_STOP_SECONDS)
    os._exit(1)
