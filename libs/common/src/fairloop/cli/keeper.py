"""Keeps one service running: starts it, starts it again when it ends, stops it at the end."""

import asyncio
import logging
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Mapping
from pathlib import Path

from fairloop.cli.installation import ServiceSpec
from fairloop.cli.records import STOP_SECONDS, kill_group, signal_process

FIRST_PAUSE = 0.1
"""Seconds before a service that ended is started again; doubled each time, up to LONGEST_PAUSE."""
LONGEST_PAUSE = 30.0
STEADY = 10.0
"""Seconds after which a service counts as healthy again and the pause starts anew."""

log = logging.getLogger(__name__)


def service_command(package: str, *arguments: str) -> list[str]:
    """`python -m <package>.main …`; -P keeps the working folder out of its import path."""
    return [sys.executable, "-P", "-m", f"{package}.main", *arguments]


_HOLD_SECONDS = 0.1


class Keeper:
    """`environment` is asked at every start; `changed` is told after every start."""

    def __init__(
        self,
        service: ServiceSpec,
        *,
        environment: Callable[[], Mapping[str, str]],
        output: Path,
        changed: Callable[[], None],
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self.service = service
        self.ends = 0
        self._environment = environment
        self._output = output
        self._changed = changed
        self._held = held
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def run(self) -> None:
        """Until cancelled; then the service is given time to finish what it is doing."""
        pause = FIRST_PAUSE
        try:
            while True:
                if self._held():
                    await asyncio.sleep(_HOLD_SECONDS)
                    continue
                began = time.monotonic()
                ending = await self._run_once()
                self.ends += 1
                if time.monotonic() - began > STEADY:
                    pause = FIRST_PAUSE
                log.warning("%s %s; again in %.1f s", self.service.name, ending, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            await self._stop()

    def restart(self) -> None:
        """End the process, gently; a new one with a new environment follows."""
        if self.pid is not None:
            signal_process(self.pid, signal.SIGTERM)

    async def _run_once(self) -> str:
        """How it ended."""
        try:
            process = await self._start()
        except OSError as error:
            return f"could not be started: {error}"
        status = await process.wait()
        kill_group(process.pid)  # whatever it had started itself
        return f"ended with status {status}"

    async def _start(self) -> Process:
        with self._output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *service_command(self.service.package, "all"),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        self._changed()
        return self._process

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        signal_process(self._process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("%s did not stop within %.0f s and was killed", self.service.name, STOP_SECONDS)
        kill_group(self._process.pid)
        await self._process.wait()
