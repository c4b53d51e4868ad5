"""Throughput with more partitions and workers, and what a million responses cost in the whole pipeline."""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import asyncpg
from tests.bench.backfill import import_responses
from tests.bench.counting import make_tables
from tests.bench.grounds import durable_postgres, new_database
from tests.bench.latency import set_up
from tests.bench.processes import started
from tests.bench.report import machine, plain_table
from tests.bench.results import fill
from tests.bench.rounds import Effort, figure
from tests.bench.usage import cpu_seconds, cpu_seconds_below, parent_of, size_of
from tests.e2e.installation import Installation, installed

from fairloop.cli.installation import Installation as Named
from fairloop.cli.installation import service_named
from fairloop.cli.reach import wiring_of
from fairloop.embedded import PostgresServer
from fairloop.services import SERVICES
from fairloop.testing_kafka import KafkaCluster

WIDTHS = (1, 2, 4)
COSTED = 20_000
"""Responses that the cost of a million is worked out from."""
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 600


async def scale(effort: Effort) -> str:
    """Both tables, as Markdown."""
    with tempfile.TemporaryDirectory(prefix="fairloop-bench-") as folder:
        widths = await _widths(Path(folder), effort)
    with tempfile.TemporaryDirectory(prefix="fairloop-bench-") as folder:
        costs = await _costs(Path(folder))
    return "\n".join([f"{machine()}.", "", widths, "", costs])


async def _widths(folder: Path, effort: Effort) -> str:
    """Events counted in a second by 1, 2 and 4 workers on as many partitions."""
    rows = []
    with durable_postgres(folder / "server") as postgres:
        for width in WIDTHS:
            rates = []
            for number in range(effort.rounds):
                async with KafkaCluster(folder / f"kafka-{width}-{number}") as kafka:
                    await fill(kafka.url, effort.events, partitions=width)
                    rates.append(await _rate(kafka.url, postgres, effort.events, width))
            rows.append((str(width), figure(median(rates)), f"{figure(min(rates))}–{figure(max(rates))}"))
    return plain_table(("partitions = workers", "events/s", "spread"), rows)


async def _rate(log_url: str, postgres: PostgresServer, events: int, workers: int) -> float:
    """From the first batch seen committed until all are; the tables are new."""
    database_url = await new_database(postgres, "scale")
    await make_tables(database_url)
    connection = await asyncpg.connect(database_url)

    async def committed(at_least: int) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                done = await connection.fetchval("SELECT coalesce(sum(hw_pseq), 0) FROM consumer_pos")
                if done >= at_least:
                    return int(done)
                await asyncio.sleep(POLL_SECONDS)

    async with AsyncExitStack() as stack:
        for _ in range(workers):
            await stack.enter_async_context(started("tests.bench.counting_worker", log_url, database_url))
        already, began = await committed(1), time.perf_counter()
        await committed(events)
        seconds = time.perf_counter() - began
    await connection.close()
    return (events - already) / seconds


async def _costs(folder: Path) -> str:
    """CPU seconds, bytes at rest and bytes on the log of a million responses, from a smaller import on Kafka."""
    async with KafkaCluster(folder / "broker") as kafka:
        with installed(folder / "installation", FAIRLOOP_LOG_URL=kafka.url) as installation:
            await set_up(installation)
            before = await _spent(installation, kafka)
            await import_responses(installation, COSTED, parts=1)
            after = await _spent(installation, kafka)
    rows = []
    for name, (cpu, size) in after.items():
        cpu_before, size_before = before[name]
        of_a_million = 1e6 / COSTED
        spent = figure((cpu - cpu_before) * of_a_million)
        rows.append((name, spent, figure((size - size_before) * of_a_million / 2**30)))
    return plain_table((f"of a million responses (from {COSTED:,})", "CPU s", "GiB at rest"), rows)


async def _spent(installation: Installation, kafka: KafkaCluster) -> dict[str, tuple[float, int]]:
    """Name → CPU seconds and bytes so far."""
    wiring = wiring_of(Named.of(installation.environment))
    spent = {}
    for name in SERVICES:
        connection = await asyncpg.connect(wiring.database_url(service_named(name)))
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        spent[name] = (cpu_seconds(installation.pid(name)), int(size))
        server = parent_of(backend)
        await connection.close()
    spent["PostgreSQL"] = (cpu_seconds_below(server), 0)
    (broker,) = kafka.brokers
    assert broker.process is not None
    spent["Kafka"] = (cpu_seconds(broker.process.pid), size_of(broker.folder / "data"))
    return spent
