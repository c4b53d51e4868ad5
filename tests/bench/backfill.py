"""Old responses imported through all five services, against what the last consumer alone can take.

Batches of 1,000 go to `POST /v1/responses`, a few at a time. The clock runs from the first batch until
kpi-aggregator has counted the last response. Its own rate is then measured with the same events: everything is
stopped, and its worker alone reads the topic from the start into an empty database.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from tests.bench.grounds import durable_postgres, new_database
from tests.bench.latency import set_up
from tests.bench.processes import run, server
from tests.bench.rounds import Comparison, Effort, at_least, at_most
from tests.bench.usage import resident_mib
from tests.e2e.installation import Installation, installed

from fairloop.cli.installation import Installation as Named
from fairloop.cli.installation import service_named
from fairloop.cli.reach import wiring_of
from fairloop.services import SERVICES
from fairloop.testing import ENVIRONMENT
from fairloop.testing_kafka import free_ports

AT_ONCE = 1000
IN_FLIGHT = 4
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 3600
_COUNTED = "SELECT count(*) FROM contribution"
OWN = {"platform": "fairloop", "survey_type": "transactional", "taxonomy": "causes", "mapping": {}}


@dataclass(frozen=True)
class Imported:
    """Responses a second of each part of the import, and the memory of all services after each, in MiB."""

    rates: list[float]
    memory: list[float]


async def compare_backfill(kafka_url: str, folder: Path, effort: Effort) -> list[Comparison]:
    """The import is cut into as many parts as there are rounds: memory and rate must not change from one to the next."""
    with installed(folder / "installation", FAIRLOOP_LOG_URL=kafka_url) as installation:
        await set_up(installation)
        imported = await import_responses(installation, effort.imported, parts=effort.rounds)
        everything = await _how_many(kpi_database(installation))
    alone = await _consumer_alone(kafka_url, folder, everything)
    growth = [now / imported.memory[0] for now in imported.memory[1:]] or [1.0]
    title = f"import of {effort.imported:,} responses through five services"
    return [
        Comparison(
            9,
            f"{title}, vs. kpi-aggregator's worker alone",
            imported.rates,
            "/s",
            [alone] * len(imported.rates),
            at_least(0.5),
        ),
        Comparison(9, f"{title}: memory, later parts vs. the first", growth, "×", target=at_most(1.1)),
    ]


async def import_responses(installation: Installation, responses: int, *, parts: int) -> Imported:
    """Import and wait until everything is counted."""
    connection = await asyncpg.connect(kpi_database(installation))
    rates, memory = [], []
    try:
        async with installation.client("survey-intake") as client:
            (await client.put("/v1/connections/import", json=OWN)).raise_for_status()
            before = await connection.fetchval(_COUNTED)
            for part in range(parts):
                numbers = range(part * responses // parts, (part + 1) * responses // parts)
                started = time.perf_counter()
                await _post_all(client, numbers)
                await counted(connection, before + numbers.stop)
                rates.append(len(numbers) / (time.perf_counter() - started))
                memory.append(sum(resident_mib(installation.pid(service)) for service in SERVICES))
    finally:
        await connection.close()
    return Imported(rates, memory)


def kpi_database(installation: Installation) -> str:
    wiring = wiring_of(Named.of(installation.environment))
    return wiring.database_url(service_named("kpi-aggregator"))


async def _post_all(client: httpx.AsyncClient, numbers: range) -> None:
    waiting = iter([numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)])

    async def post() -> None:
        for batch in waiting:
            body = json.dumps({"responses": [_response(number) for number in batch]})
            answer = await client.post("/v1/responses", content=body, timeout=120)
            answer.raise_for_status()
            refused = [one for one in answer.json()["outcomes"] if one["outcome"] != "accepted"]
            if refused:
                raise RuntimeError(f"not taken: {refused[0]}")

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(post())


def _response(number: int) -> dict[str, object]:
    return {
        "connection": "import",
        "survey_id": "old",
        "response_id": f"old-{number}",
        "submitted_at": f"2026-{1 + number % 9:02}-{1 + number % 28:02}T09:00:00Z",
        "scores": {"nps": number % 11},
        "causes": [{"level1": "work", "level2": "quality"}],
        "customer": {"ref": f"customer-{number}"},
        "interaction_ref": f"job-{number % 2000}",
    }


async def counted(connection: "asyncpg.Connection[asyncpg.Record]", expected: int) -> None:
    """Wait until so many responses are counted."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval(_COUNTED) < expected:
            await asyncio.sleep(POLL_SECONDS)


async def _how_many(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval(_COUNTED))
    finally:
        await connection.close()


async def _consumer_alone(kafka_url: str, folder: Path, expected: int) -> float:
    """Responses a second of the worker on an empty database, from the first batch seen there to the last."""
    (port,) = free_ports(1)
    with durable_postgres(folder / "alone") as postgres:
        url = await new_database(postgres, "kpi_aggregator")
        environment = {f"FAIRLOOP_{name.upper()}": value for name, value in ENVIRONMENT.items()} | {
            "FAIRLOOP_DATABASE_URL": url,
            "FAIRLOOP_LOG_URL": kafka_url,
            "FAIRLOOP_PORT": str(port),
        }
        await run("kpi_aggregator.main", "migrate", environment=environment)
        connection = await asyncpg.connect(url)
        log = folder / "alone.log"
        async with server("kpi_aggregator.main", "worker", port=port, log=log, environment=environment):
            await counted(connection, 1)
            began, started = await connection.fetchval(_COUNTED), time.perf_counter()
            await counted(connection, expected)
            seconds = time.perf_counter() - started
        await connection.close()
    return (expected - began) / seconds
