"""A second worker of a service beside the installation's own process: what takes over, and what a zombie meets."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fairloop.cli.keeper import service_command

_PAUSE = 0.5
_STOP_SECONDS = 25


class SecondWorker:
    """Kept running until closed, as a container platform would keep it."""

    def __init__(self, package: str, environment: Mapping[str, str], output: Path) -> None:
        self._package = package
        self._environment = environment
        self._output = output
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def open(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        process = self._process
        if process is None or process.returncode is not None:
            return
        for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
            if number == signal.SIGTERM:
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        await process.wait()

    async def _keep(self) -> None:
        while True:
            with self._output.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *service_command(self._package, "worker"),
                    stdin=DEVNULL,
                    stdout=output,
                    stderr=STDOUT,
                    env=dict(self._environment),
                    start_new_session=True,
                )
            await self._process.wait()
            await asyncio.sleep(_PAUSE)
