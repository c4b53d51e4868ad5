"""Waiting for something with an end to the wait."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

_SMALL = 100
_MOST_REST_SECONDS = 0.05


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most this long; True when it is."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def rest(events: int, took: float) -> float:
    """Seconds to wait after a small batch, for more to come together: as long as it took, 50 ms at most.

    An idle machine is quick, so nobody notices. Where all the stages want the same cores a batch takes longer, the
    next one is larger, and an event costs less.
    """
    return min(took, _MOST_REST_SECONDS) if events < _SMALL else 0.0


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
