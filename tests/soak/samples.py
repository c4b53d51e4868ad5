"""Looking at the installation from outside every few seconds."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from tests.chaos.log_reading import CONSUMED, PARTITIONS
from tests.chaos.stand import Stand

from fairloop.log.port import Log
from fairloop.services import SERVICES

TABLES = ("receipt", "outbox", "idempotency", "parked_event")


@dataclass(frozen=True)
class Sample:
    """`at` in seconds since the soak began; memory in KiB by process; `rows` by "service table"."""

    at: float
    memory: Mapping[str, int]
    files: Mapping[str, int]
    connections: Mapping[str, int]
    rows: Mapping[str, int]
    lag: int


def processes(stand: Stand) -> dict[str, int]:
    """Name → pid of the five services, the brokers and the database server's parent."""
    found = {service: stand.installation.pid(service) for service in SERVICES}
    if stand.brokers is not None:
        found |= {f"broker {b.number}": b.process.pid for b in stand.brokers.brokers if b.process}
    return found


async def look(stand: Stand, log: Log, *, began: float) -> Sample:
    pids = processes(stand)
    rows: dict[str, int] = {}
    positions: dict[tuple[str, str, int], int] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(stand.database(service))
        try:
            for table in TABLES:
                rows[f"{service} {table}"] = await connection.fetchval(f"SELECT count(*) FROM {table}")
            for topic, part, offset in await connection.fetch(
                "SELECT topic, part, next_offset FROM consumer_pos"
            ):
                positions[service, topic, part] = offset
        finally:
            await connection.close()
    bounds = await log.bounds(PARTITIONS)
    rows["log records"] = sum(end - first for first, end in bounds.values())
    lag = sum(
        end - positions.get((service, *partition), 0)
        for service, topics in CONSUMED.items()
        for partition, (_, end) in bounds.items()
        if partition.topic in topics
    )
    return Sample(
        at=time.monotonic() - began,
        memory={name: memory_of(pid) for name, pid in pids.items()},
        files={name: len(list(Path(f"/proc/{pid}/fd").iterdir())) for name, pid in pids.items()},
        connections=await _connections(stand),
        rows=rows,
        lag=lag,
    )


def memory_of(pid: int) -> int:
    """Resident, KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def _connections(stand: Stand) -> Counter[str]:
    """Database connections by database and the name the application gave itself; not our own."""
    connection = await asyncpg.connect(stand.postgres.admin_url())
    try:
        rows = await connection.fetch(
            "SELECT datname, application_name, count(*) FROM pg_stat_activity"
            " WHERE datname IS NOT NULL AND datname <> 'postgres' GROUP BY 1, 2"
        )
    finally:
        await connection.close()
    return Counter({f"{name} {said}".strip(): count for name, said, count in rows})
