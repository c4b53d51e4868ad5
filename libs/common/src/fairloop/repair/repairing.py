"""One service brought back: what others published is read, what it published itself is taken over from the log."""

import asyncio

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.log.port import Log
from fairloop.repair.reading_on import PATIENCE, read_on
from fairloop.repair.taking_over import take_over
from fairloop.service import Runtime, Service


class Jumped(msgspec.Struct, frozen=True, kw_only=True):
    """A topic that has to be published once more, because its reader went over a break."""

    topic: str
    partition: int
    reason: str


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to one service. `lost`: what no log can give back, in words. `restart`: its worker has halted."""

    service: str
    read: int
    jumped: list[Jumped]
    taken_over: int
    unreadable: int
    republished: int
    restart: bool
    lost: list[str]


async def repair(service: Service, runtime: Runtime, event_log: Log) -> Repaired:
    """Harmless where nothing is wrong; killed in the middle, it is run again.

    Reading comes first: what is derived again may differ from what the lost database had published, and then the
    published one counts. Raises NothingToReadError.
    """
    read, jumps = await read_on(service, runtime, event_log)
    taken = await take_over(service, runtime, event_log)
    lost = taken.lost + ([] if service.recovery is None else list(await service.recovery.finish(runtime)))
    if taken.republished:
        await _sent(runtime)
    return Repaired(
        service=service.name,
        read=read,
        jumped=[
            Jumped(topic=jump.partition.topic, partition=jump.partition.partition, reason=jump.reason)
            for jump in jumps
        ],
        taken_over=taken.changed,
        unreadable=taken.unreadable,
        republished=taken.republished,
        restart=bool(jumps or taken.heads),
        lost=lost,
    )


async def _sent(runtime: Runtime) -> None:
    """Wait a while for the relay, so that whoever is repaired next finds something on a log that was emptied."""

    async def waiting(session: AsyncSession) -> int:
        count: int = (await sql(session, "SELECT count(*) FROM outbox"))[0][0]
        return count

    deadline = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        async with runtime.db.begin() as session:
            if not await waiting(session):
                return
        await asyncio.sleep(0.1)
