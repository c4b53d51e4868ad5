"""The processes of a measurement: what is measured never shares one with what measures it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fairloop.testing_kafka import port_answers

READY_SECONDS = 180


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what may configure another Fairloop."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLOOP_")}
    return inherited | dict(more)


async def run(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What `python -m module …` printed. Raises RuntimeError, with what it said, when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env=_environment(environment or {}),
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{module} failed:\n{output.decode()[-4000:]}{errors.decode()[-4000:]}")
    return output.decode()


async def result_of(module: str, *arguments: str) -> Any:
    """The JSON in the last line of what a module printed."""
    return json.loads((await run(module, *arguments)).splitlines()[-1])


@asynccontextmanager
async def server(
    module: str, *arguments: str, port: int, log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[None]:
    """`python -m module …` while the block runs; entered when its port answers."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            env=_environment(environment or {}),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await port_answers(("127.0.0.1", port)):
                if process.returncode is not None:
                    raise RuntimeError(f"{module} ended:\n{log.read_text()[-4000:]}")
                await asyncio.sleep(0.1)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[None]:
    """`python -m module …` while the block runs. Raises RuntimeError when it did not end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, env=_environment({}), stdin=DEVNULL, stdout=DEVNULL
    )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        if await process.wait() != 0:
            raise RuntimeError(f"{module} ended with {process.returncode}")
