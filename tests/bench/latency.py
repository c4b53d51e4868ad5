"""From a webhook's 2xx to the KPI that counts it, on Kafka and on the embedded log, through all the services.

A response is counted once `contribution` has its row: the same transaction adds it to the buckets that figures are
read from. That table is asked about every response that waits, every four milliseconds, so what is measured is up to
five milliseconds too long.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec
from tests.bench.line import Line, connect, post
from tests.bench.rounds import Comparison, Effort, Target, at_most, in_turns
from tests.e2e.installation import Installation, installed
from tests.e2e.traffic import MECHANICS, Delivery, directory, mechanic_of

from fairloop.cli.installation import Installation as Named
from fairloop.cli.installation import service_named
from fairloop.cli.reach import wiring_of

PER_SECOND = 50
WARM_UP = 100
BURST = 400
"""Sent at once to find the most an installation takes."""
LINES = 16
POLL_SECONDS = 0.004
PATIENCE_SECONDS = 120
JOBS_AT_ONCE = 500


class Receipt(msgspec.Struct):
    response_id: UUID


class Watch:
    """Which responses are counted by now."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._waiting: dict[UUID, float] = {}
        self.seconds: list[float] = []

    def expect(self, response: UUID) -> None:
        self._waiting[response] = time.perf_counter()

    async def look(self, expected: int) -> None:
        """Until so many were counted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.seconds) < expected:
                if self._waiting:
                    rows = await self._connection.fetch(
                        "SELECT response_id FROM contribution WHERE response_id = ANY($1::uuid[])",
                        list(self._waiting),
                    )
                    now = time.perf_counter()
                    self.seconds += [now - self._waiting.pop(UUID(bytes=row[0].bytes)) for row in rows]
                await asyncio.sleep(POLL_SECONDS)


Log = Literal["Kafka", "embedded log"]
TARGETS: dict[str, dict[str, Target]] = {
    f"{PER_SECOND} a second": {"p50": at_most(12, "ms"), "p99": at_most(40, "ms")},
    "half the maximum": {"p50": at_most(40, "ms"), "p99": at_most(120, "ms")},
}
"""Load → what is wanted of either log."""


async def compare_latency(kafka_url: str, folder: Path, effort: Effort) -> list[Comparison]:
    """Both installations run at the same time and are asked in turns."""
    with ExitStack() as stack:
        installations: dict[Log, Installation] = {
            "Kafka": stack.enter_context(installed(folder / "kafka", FAIRLOOP_LOG_URL=kafka_url)),
            "embedded log": stack.enter_context(installed(folder / "embedded")),
        }
        loads: dict[tuple[Log, str], float] = {}
        for log, installation in installations.items():
            await set_up(installation, WARM_UP + BURST + 4 * effort.rounds * effort.answers)
            await _measure(installation, range(WARM_UP), PER_SECOND)
            most = await _maximum(installation)
            loads[log, f"{PER_SECOND} a second"] = PER_SECOND
            loads[log, "half the maximum"] = most / 2
        samples = await in_turns(
            effort.rounds,
            {
                f"{log}, {load}": _rounds(installations[log], place, per_second, effort)
                for place, ((log, load), per_second) in enumerate(loads.items())
            },
        )
    found: list[Comparison] = []
    for (log, load), per_second in loads.items():
        rounds = samples[f"{log}, {load}"]
        at = load if load.startswith(str(PER_SECOND)) else f"{load} ({per_second:.0f} a second)"
        for name, of in (("p50", _p50), ("p99", _p99)):
            title = f"webhook 2xx → KPI on {log}, {at}, {name}"
            found.append(Comparison(8, title, [of(one) for one in rounds], "ms", target=TARGETS[load][name]))
    return found


async def _maximum(installation: Installation) -> float:
    """Answers counted in a second when they come as fast as they are taken."""
    numbers = range(WARM_UP, WARM_UP + BURST)
    started = time.perf_counter()
    await _measure(installation, numbers, math.inf)
    return BURST / (time.perf_counter() - started)


def _p50(seconds: Sequence[float]) -> float:
    return 1000 * quantiles(seconds, n=100)[49]


def _p99(seconds: Sequence[float]) -> float:
    return 1000 * quantiles(seconds, n=100)[98]


def _rounds(
    installation: Installation, place: int, per_second: float, effort: Effort
) -> Callable[[int], Awaitable[list[float]]]:
    """`place` keeps the answers of one measure apart from those of another."""

    async def measure(number: int) -> list[float]:
        first = WARM_UP + BURST + (place * effort.rounds + number) * effort.answers
        return await _measure(installation, range(first, first + effort.answers), per_second)

    return measure


async def set_up(installation: Installation, jobs: int = 2_000) -> None:
    """The organisation, the connection, and the jobs of so many answers."""
    for service, path, body in directory():
        async with installation.client(service) as client:
            (await client.put(path, json=body)).raise_for_status()
    async with installation.client("attribution") as client:
        for start in range(0, jobs, JOBS_AT_ONCE):
            batch = [_job(number) for number in range(start, min(jobs, start + JOBS_AT_ONCE))]
            (await client.post("/v1/interactions", json={"interactions": batch})).raise_for_status()


def _job(number: int) -> dict[str, object]:
    return {
        "id": f"job-{number}",
        "occurred_at": (datetime.now(UTC) - timedelta(days=25)).isoformat(),
        "customer_ref": f"customer-{number}",
        "org_unit": f"branch-{number % len(MECHANICS) % 2}",
        "touchpoint": "work",
        "participants": [{"employee": mechanic_of(number), "role": "mechanic"}],
    }


async def _measure(installation: Installation, numbers: range, per_second: float) -> list[float]:
    """Seconds from each answer's 2xx until it was counted."""
    wiring = wiring_of(Named.of(installation.environment))
    connection = await asyncpg.connect(wiring.database_url(service_named("kpi-aggregator")))
    port = Named.of(installation.environment).port(service_named("survey-intake"))
    lines: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
    for _ in range(LINES):
        lines.put_nowait(await connect(port))
    watch = Watch(connection)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch.look(len(numbers)))
            started = time.perf_counter()
            for place, number in enumerate(numbers):
                await asyncio.sleep(started + place / per_second - time.perf_counter())
                group.create_task(_send(port, lines, Delivery(number, number % 11, "quality", 0), watch))
    finally:
        await connection.close()
        while not lines.empty():
            lines.get_nowait().close()
    return watch.seconds


async def _send(port: int, lines: "asyncio.LifoQueue[Line]", delivery: Delivery, watch: Watch) -> None:
    request = post("/v1/webhooks/e2e", delivery.headers(), delivery.body())
    line = await lines.get()
    if line.lost:
        line = await connect(port)
    status, body = await line.ask(request)
    watch.expect(msgspec.json.decode(body, type=Receipt).response_id)
    assert status == 202, body
    lines.put_nowait(line)
