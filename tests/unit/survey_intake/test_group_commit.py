"""The contract of the group commit."""

import asyncio
from collections.abc import Sequence

import pytest

from survey_intake.group_commit import GroupCommit, Overloaded


class Ledger:
    """Stands in for the database: a write waits until it is let through."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.gate.set()

    async def write(self, items: Sequence[str]) -> list[str]:
        self.begun.set()
        await self.gate.wait()
        if "down" in items:
            raise ConnectionError("the database is away")
        if "poison" in items:
            raise ValueError("cannot be written")
        self.batches.append(list(items))
        return [item.upper() for item in items]


def group(ledger: Ledger, *, capacity: int = 1000, max_items: int = 100) -> GroupCommit[str, str]:
    return GroupCommit(
        ledger.write,
        capacity=capacity,
        max_items=max_items,
        heals=lambda error: isinstance(error, ConnectionError),
    )


async def queued_behind_one(
    ledger: Ledger, commits: GroupCommit[str, str], items: Sequence[str]
) -> list[asyncio.Task[str]]:
    """One write under way, the items waiting behind it."""
    ledger.gate.clear()
    first = asyncio.create_task(commits.submit("first"))
    await ledger.begun.wait()
    rest = [asyncio.create_task(commits.submit(item)) for item in items]
    await asyncio.wait(rest, timeout=0)
    return [first, *rest]


async def test_a_lone_item_is_written_at_once() -> None:
    ledger = Ledger()

    assert await group(ledger).submit("a") == "A"
    assert ledger.batches == [["a"]]


async def test_what_queued_during_a_write_is_written_together_in_order() -> None:
    ledger = Ledger()
    tasks = await queued_behind_one(ledger, group(ledger), ["b", "c", "d"])

    assert not any(task.done() for task in tasks)
    ledger.gate.set()

    assert await asyncio.gather(*tasks) == ["FIRST", "B", "C", "D"]
    assert ledger.batches == [["first"], ["b", "c", "d"]]


async def test_a_batch_has_a_limit() -> None:
    ledger = Ledger()
    tasks = await queued_behind_one(ledger, group(ledger, max_items=2), ["b", "c", "d"])
    ledger.gate.set()
    await asyncio.gather(*tasks)

    assert ledger.batches == [["first"], ["b", "c"], ["d"]]


async def test_a_poisonous_item_fails_alone() -> None:
    ledger = Ledger()
    tasks = await queued_behind_one(ledger, group(ledger), ["b", "poison", "d"])
    ledger.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, str, ValueError, str]
    assert ledger.batches == [["first"], ["b"], ["d"]]


async def test_trouble_that_heals_is_everybodys_and_the_next_batch_is_written() -> None:
    ledger = Ledger()
    commits = group(ledger)
    tasks = await queued_behind_one(ledger, commits, ["b", "down"])
    ledger.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, ConnectionError, ConnectionError]
    assert await commits.submit("again") == "AGAIN"


async def test_beyond_its_capacity_it_refuses_at_once_and_takes_again_when_written() -> None:
    ledger = Ledger()
    commits = group(ledger, capacity=3)
    tasks = await queued_behind_one(ledger, commits, ["b", "c"])

    with pytest.raises(Overloaded):
        await commits.submit("d")
    ledger.gate.set()
    await asyncio.gather(*tasks)

    assert await commits.submit("d", weight=3) == "D"


async def test_who_stops_waiting_does_not_take_the_item_back() -> None:
    ledger = Ledger()
    commits = group(ledger)
    first, second, third = await queued_behind_one(ledger, commits, ["b", "c"])
    second.cancel()
    ledger.gate.set()

    assert await first == "FIRST"
    assert await third == "C"
    assert ledger.batches == [["first"], ["b", "c"]]


async def test_drained_waits_for_what_is_queued() -> None:
    ledger = Ledger()
    commits = group(ledger)
    tasks = await queued_behind_one(ledger, commits, ["b"])
    drained = asyncio.create_task(commits.drained())
    ledger.gate.set()
    await drained

    assert ledger.batches == [["first"], ["b"]]
    assert await asyncio.gather(*tasks) == ["FIRST", "B"]
