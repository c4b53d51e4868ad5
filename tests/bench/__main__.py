"""`python -m tests.bench`: speed as ratios, each measured in turns in one run. Asserts nothing: read the table.

`python -m tests.bench scale` instead shows throughput with more partitions and workers, and what a million responses
cost. All PostgreSQL servers are durable (fsync on); Kafka is a broker started for each measurement.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.bench.backfill import compare_backfill
from tests.bench.consumer import compare_consumer
from tests.bench.grounds import durable_postgres, new_database
from tests.bench.intake import compare_intake
from tests.bench.latency import compare_latency
from tests.bench.paying import compare_paying
from tests.bench.peers import compare_peers
from tests.bench.reading import compare_reading
from tests.bench.relaying import compare_relaying
from tests.bench.report import report, write_into
from tests.bench.rounds import FULL, QUICK, Comparison, Effort
from tests.bench.scale import scale
from tests.bench.tracing import compare_tracing

from fairloop.testing_kafka import KafkaCluster


async def intake(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        return await compare_intake(postgres, folder, effort)


async def consumer(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        embedded = await new_database(postgres, "fairloop_log")
        async with KafkaCluster(folder / "kafka") as kafka:
            on_kafka = await compare_consumer("Kafka", kafka.url, postgres, effort)
        return [*on_kafka, *await compare_consumer("the embedded log", embedded, postgres, effort)]


async def peers(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        async with KafkaCluster(folder / "kafka") as kafka:
            return await compare_peers(kafka.url, postgres, effort)


async def relaying(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        async with KafkaCluster(folder / "kafka") as kafka:
            return await compare_relaying(kafka.url, postgres, effort)


async def reading(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        return await compare_reading(postgres, folder, effort)


async def paying(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        return await compare_paying(postgres, effort)


async def latency(folder: Path, effort: Effort) -> list[Comparison]:
    async with KafkaCluster(folder / "broker") as kafka:
        return await compare_latency(kafka.url, folder, effort)


async def backfill(folder: Path, effort: Effort) -> list[Comparison]:
    async with KafkaCluster(folder / "broker") as kafka:
        return await compare_backfill(kafka.url, folder, effort)


async def tracing(folder: Path, effort: Effort) -> list[Comparison]:
    with durable_postgres(folder / "server") as postgres:
        return await compare_tracing(postgres, folder, effort)


MEASURES: dict[Callable[[Path, Effort], Awaitable[list[Comparison]]], frozenset[int]] = {
    intake: frozenset({1, 2}),
    consumer: frozenset({3}),
    peers: frozenset({4}),
    relaying: frozenset({5}),
    reading: frozenset({6}),
    paying: frozenset({7}),
    latency: frozenset({8}),
    backfill: frozenset({9}),
    tracing: frozenset({10}),
}
"""Each measurement and the rows of the table of targets that it fills."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["targets", "scale"], default="targets")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, wider spread")
    parser.add_argument("--only", type=int, nargs="+", metavar="ROW", choices=range(1, 11), default=[])
    parser.add_argument("--import", dest="imported", type=int, help="responses of row 9")
    parser.add_argument("--out", type=Path, help="write the table into the marked place of this file, too")
    return parser.parse_args()


async def measure_targets(effort: Effort, only: frozenset[int]) -> tuple[list[Comparison], dict[str, str]]:
    """What was measured, and what could not be."""
    comparisons: list[Comparison] = []
    failed = {}
    for measure, rows in MEASURES.items():
        if only and not only & rows:
            continue
        name = measure.__name__
        print(f"{name}: {effort.rounds} rounds", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="fairloop-bench-") as folder:
                found = await measure(Path(folder), effort)
        except Exception as error:  # the other rows are still worth having; the exit code tells
            traceback.print_exc()
            failed[f"{name} (row {', '.join(map(str, sorted(rows)))})"] = repr(error)[:300]
        else:
            comparisons += [one for one in found if not only or one.row in only]
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return comparisons, failed


async def main() -> int:
    asked = options()
    effort = QUICK if asked.quick else FULL
    if asked.imported:
        effort = replace(effort, imported=asked.imported)
    started = time.monotonic()
    failed: dict[str, str] = {}
    if asked.what == "scale":
        text = await scale(effort)
    else:
        comparisons, failed = await measure_targets(effort, frozenset(asked.only))
        how = " ".join(["python -m tests.bench", *sys.argv[1:]])
        text = report(comparisons, failed, how=how, minutes=(time.monotonic() - started) / 60)
    print(text)
    if asked.out is not None:
        write_into(asked.out, text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
