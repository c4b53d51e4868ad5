"""Services as processes of the operating system, which a test kills, stops and wakes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from tests.fault.nursery import Birth

from fairloop.embedded.processes import started_at

CHECKOUT = Path(__file__).resolve().parents[2]


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, seconds: float = 60.0) -> None:
    """Wait for a condition; fails the test, saying what never came true."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.02)


@dataclass
class ServiceProcess:
    """One process of a service."""

    name: str
    pid: int
    output: Path
    port: int | None
    born: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.born = started_at(self.pid)

    @property
    def alive(self) -> bool:
        return self.born is not None and started_at(self.pid) == self.born

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            os.kill(self.pid, number)

    async def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        await self.gone()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay, it does nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def terminate(self) -> None:
        """SIGTERM, as a rolling restart does; returns when it has ended."""
        self.signal(signal.SIGTERM)
        await self.gone(seconds=40)

    async def gone(self, *, seconds: float = 20.0) -> None:
        async def dead() -> bool:
            return not self.alive

        await until(dead, f"{self.name} ends", seconds=seconds)

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        found = []
        for line in self.output.read_text(errors="replace").splitlines():
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def said(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Its log lines of one event with these fields."""
        return [
            line for line in self.lines() if line.get("event") == event and fields.items() <= line.items()
        ]


class Nursery:
    """Starts processes quickly: a warm one forks them."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.children: list[ServiceProcess] = []

    def bear(self, birth: Birth, *, name: str, port: int | None = None) -> ServiceProcess:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(birth) + b"\n")
        self._process.stdin.flush()
        child = ServiceProcess(name, int(self._process.stdout.readline()), Path(birth.output), port)
        self.children.append(child)
        return child


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """Ends every child that is still alive."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fault.nursery"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        nursery = Nursery(process)
        try:
            yield nursery
        finally:
            for child in nursery.children:
                child.signal(signal.SIGKILL)
            process.kill()
