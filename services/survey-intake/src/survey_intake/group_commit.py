"""Many requests, one transaction: what queued during the last commit is written together by the next.

Contract of `GroupCommit`:
- `submit` returns the item's answer after the transaction that holds it was committed, never before.
- Items are written in the order of submission, by one `write` at a time.
- No linger: an item that finds nobody writing is written at once, alone.
- The queue is bounded: when the weights waiting exceed the capacity, `submit` raises `Overloaded` at once.
- An error that trying again may heal is raised to every item of the batch. After any other error the items are
  written one by one, so that an item that cannot be written fails alone.
- A caller that stops waiting does not take its item back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from fairloop.errors import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Overloaded(Unavailable):
    """More is waiting than will be written in good time."""


class GroupCommit(Generic[Item, Answer]):
    """`write` writes a batch in one transaction and answers item by item, in order."""

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        capacity: int,
        max_items: int,
        heals: Callable[[BaseException], bool],
    ) -> None:
        self._write = write
        self._capacity = capacity
        self._max_items = max_items
        self._heals = heals
        self._waiting: deque[tuple[Item, int, asyncio.Future[Answer]]] = deque()
        self._weight = 0
        self._flusher: asyncio.Task[None] | None = None

    async def submit(self, item: Item, *, weight: int = 1) -> Answer:
        """The answer for one item, committed. Raises Overloaded, or what `write` raised."""
        if self._weight + weight > self._capacity:
            raise Overloaded(f"Too much at once: {len(self._waiting)} are waiting. Try again.")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, weight, answer))
        self._weight += weight
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await answer

    async def drained(self) -> None:
        """Returns when nothing is waiting or being written."""
        while self._flusher is not None:
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_items))]
                await self._settle([(item, answer) for item, _, answer in batch])
                self._weight -= sum(weight for _, weight, _ in batch)
        finally:
            self._flusher = None

    async def _settle(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._write([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or self._heals(error):
                for _, waiting in batch:
                    if not waiting.done():
                        waiting.set_exception(error)
                return
            for single in batch:
                await self._settle([single])
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
