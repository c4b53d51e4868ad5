"""Carrying the schedule out."""

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from tests.chaos.schedule import ALL_BROKERS, BROKERS, POSTGRES, Fault
from tests.chaos.stand import Stand
from tests.fault.proxy import COMMITTED


async def inject(stand: Stand, faults: Iterable[Fault], *, began: float) -> None:
    """Each at its second after `began` (of the monotonic clock), and until the last one has passed."""
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            group.create_task(strike(stand, fault), name=str(fault))


async def strike(stand: Stand, fault: Fault) -> None:
    match fault.kind:
        case "kill -9":
            _signal(stand.pid(fault.target), signal.SIGKILL)
        case "stop":
            await _stop(stand, fault)
        case "restart":
            for which in ("worker", "api+worker"):
                _signal(stand.pid(f"{fault.target} {which}"), signal.SIGTERM)
        case "crash":
            async with stand.crashing:
                await _crash(stand, fault)
        case _:
            await _disturb(stand, fault)


def _signal(pid: int | None, number: signal.Signals) -> None:
    """A process that is just being started again is left alone."""
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def _stop(stand: Stand, fault: Fault) -> None:
    pid = stand.pid(fault.target)
    _signal(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        _signal(pid, signal.SIGCONT)


async def _crash(stand: Stand, fault: Fault) -> None:
    if fault.target == POSTGRES:
        await asyncio.to_thread(stand.postgres.stop, "immediate")
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(stand.postgres.start)
        return
    assert stand.brokers is not None
    numbers = range(1, 4) if fault.target == ALL_BROKERS else [BROKERS.index(fault.target) + 1]
    for number in numbers:
        await asyncio.to_thread(stand.brokers.kill, number)
    await asyncio.sleep(fault.seconds)
    for number in numbers:
        stand.brokers.start(number)


async def _disturb(stand: Stand, fault: Fault) -> None:
    link = stand.links[fault.target]
    match fault.kind:
        case "cut":
            link.cut()
        case "slow":
            link.delay = fault.amount
        case "hold":
            link.hold()
        case "half-close":
            link.half_close()
        case "lose answers":
            # a database's answer to COMMIT; of a broker whatever it says next
            marker = COMMITTED if fault.target.endswith("database") else b""
            link.lose_answer(marker, times=int(fault.amount))
        case unknown:
            raise ValueError(f"no such fault: {unknown}")
    await asyncio.sleep(fault.seconds)
    link.heal()
