"""Waiting for something with an end to the wait."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most this long; True when it is."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def beside(work: Coroutine[object, object, None]) -> AsyncIterator[Callable[[], None]]:
    """Run endless work while the block runs. The callable raises what has ended the work, if anything has."""
    task = asyncio.create_task(work)

    def check() -> None:
        if task.done():
            task.result()

    try:
        yield check
    finally:
        task.cancel()
        await asyncio.wait({task})


class Backoff:
    """Growing pauses with jitter, from 0.1 s to 30 s."""

    def __init__(self, *, first: float = 0.1, most: float = 30.0) -> None:
        self._first = first
        self._most = most
        self._pause = first

    def next(self) -> float:
        """How long to wait this time."""
        pause = self._pause
        self._pause = min(self._most, pause * 2)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        self._pause = self._first
