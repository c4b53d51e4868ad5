"""What recording traces costs: webhooks taken and events counted with every trace recorded, one in a hundred, and none.

The receiver of the traces reads them and throws them away, in a process of its own on the same machine.
"""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.grounds import new_database
from tests.bench.intake import ROUTE, connect_platform, intake_environment, webhooks_taken
from tests.bench.processes import result_of, run, server
from tests.bench.results import fill
from tests.bench.rounds import Comparison, Effort, in_turns

from fairloop.embedded import PostgresServer
from fairloop.testing_kafka import free_ports

NONE = "no trace"
SHARES = {NONE: 0, "every trace": 1, "one trace in a hundred": 0.01}


async def compare_tracing(postgres: PostgresServer, folder: Path, effort: Effort) -> list[Comparison]:
    """What is compared differs in nothing but what it records."""
    (sink,) = free_ports(1)
    async with server("tests.bench.bare", str(sink), port=sink, log=folder / "sink.log"):
        taken = await _intake(postgres, folder, effort, sink)
        counted = await _consumer(postgres, effort, sink)
    return [
        Comparison(10, f"{what}, {name} recorded, vs. none", rates[name], "/s", rates[NONE])
        for what, rates in (("webhooks taken", taken), ("events counted", counted))
        for name in SHARES
        if name != NONE
    ]


async def _intake(
    postgres: PostgresServer, folder: Path, effort: Effort, sink: int
) -> dict[str, list[float]]:
    """Webhooks a second, of three processes of survey-intake on databases of their own."""
    async with AsyncExitStack() as stack:
        measures = {}
        for (name, share), port in zip(SHARES.items(), free_ports(len(SHARES)), strict=True):
            database = await new_database(postgres, f"survey_intake_{port}")
            environment = intake_environment(database, port) | (_recording(share, sink) if share else {})
            await run("survey_intake.main", "migrate", environment=environment)
            log = folder / f"intake-{port}.log"
            await stack.enter_async_context(
                server("survey_intake.main", "api", port=port, log=log, environment=environment)
            )
            await connect_platform(port)
            measures[name] = webhooks_taken(port, ROUTE, effort.webhooks)
        return await in_turns(effort.rounds, measures)


async def _consumer(postgres: PostgresServer, effort: Effort, sink: int) -> dict[str, list[float]]:
    """Events a second, from embedded logs in which so many events carry a trace."""
    password = secrets.token_hex(16)
    await postgres.ensure_role_and_database("counting", password)
    database_url = postgres.url("counting", role="counting", password=password)
    logs = {name: await new_database(postgres, f"log_{place}") for place, name in enumerate(SHARES)}
    for name, log_url in logs.items():
        await fill(log_url, effort.events, traced=SHARES[name])

    def counted(name: str) -> Callable[[int], Awaitable[float]]:
        told = [f"http://127.0.0.1:{sink}"] if SHARES[name] else []

        async def rate(number: int) -> float:
            arguments = [logs[name], database_url, str(effort.events), f"group-{number}", *told]
            return effort.events / float(await result_of("tests.bench.counting", "runtime", *arguments))

        return rate

    return await in_turns(effort.rounds, {name: counted(name) for name in SHARES})


def _recording(share: float, port: int) -> dict[str, str]:
    return {
        "FAIRLOOP_OTLP_URL": f"http://127.0.0.1:{port}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(share),
    }
