"""`python -m tests.bench`: speed as ratios, each measured in turns in one run. Judges nothing: read the table.

All PostgreSQL servers are durable (fsync on); Kafka is a broker started for this.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.consumer import compare_consumer
from tests.bench.intake import compare_intake
from tests.bench.latency import compare_latency
from tests.bench.rounds import FULL, QUICK, Comparison, Effort, table

from fairloop.embedded import PostgresServer
from fairloop.testing_kafka import KafkaCluster

MEASURES = ("intake", "consumer", "latency")


@contextmanager
def durable_postgres(folder: Path) -> Iterator[PostgresServer]:
    folder.mkdir()
    server = PostgresServer(
        folder / "postgres", password=secrets.token_urlsafe(24), log=folder / "postgres.log"
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def intake(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        return await compare_intake(postgres, folder, effort)


async def consumer(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        password = secrets.token_hex(16)
        await postgres.ensure_role_and_database("fairloop_log", password)
        embedded = postgres.url("fairloop_log", role="fairloop_log", password=password)
        async with KafkaCluster(folder / "kafka") as kafka:
            on_kafka = await compare_consumer("Kafka", kafka.url, postgres, effort)
        return [*on_kafka, *await compare_consumer("embedded log", embedded, postgres, effort)]


async def latency(folder: Path, effort: Effort) -> list[Comparison]:
    async with KafkaCluster(folder / "broker") as kafka:
        return await compare_latency(kafka.url, folder, effort)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, wider spread")
    parser.add_argument("--only", choices=MEASURES, action="append", help="may be given several times")
    options = parser.parse_args()
    effort = QUICK if options.quick else FULL
    comparisons: list[Comparison] = []
    for measure in (intake, consumer, latency):
        if options.only and measure.__name__ not in options.only:
            continue
        say(f"{measure.__name__}: {effort.rounds} rounds")
        with tempfile.TemporaryDirectory(prefix="fairloop-bench-") as folder:
            comparisons += await measure(Path(folder), effort)
    print(table(comparisons))


if __name__ == "__main__":
    asyncio.run(main())
