"""Events counted on Kafka in a second, against two stream processors that count the same from the same broker.

They run in an interpreter of their own, made from requirements-bench.lock.
"""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench.grounds import new_database
from tests.bench.processes import result_of
from tests.bench.results import TOPIC, fill
from tests.bench.rounds import Comparison, Effort, Target, at_least, in_turns

from fairloop.embedded import PostgresServer

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".cache/bench-venv/bin/python"
KEYED = "results-keyed-by-partition"
PEERS: dict[str, tuple[str, list[str], Target]] = {
    "quixstreams": ("peer_quixstreams.py", [KEYED], at_least(2.5)),
    "bytewax with its recovery store": ("peer_bytewax.py", [TOPIC.name, "recovery"], at_least(1.2)),
    "bytewax without": ("peer_bytewax.py", [TOPIC.name], at_least(1)),
}
"""Name → its program, the program's arguments after broker and events, and what we want to reach of it."""


async def compare_peers(log_url: str, postgres: PostgresServer, effort: Effort) -> list[Comparison]:
    """On a broker that has no topic yet."""
    if not PYTHON.exists():
        raise RuntimeError(f"{PYTHON} is missing: make bench makes it")
    database_url = await new_database(postgres, "counting")
    await fill(log_url, effort.events)
    await fill(log_url, effort.events, topic=KEYED, keyed_by_partition=True)

    async def ours(number: int) -> float:
        arguments = ("runtime", log_url, database_url, str(effort.events), f"peers-{number}")
        return effort.events / float(await result_of("tests.bench.counting", *arguments))

    theirs = {name: _peer(program, log_url, effort, more) for name, (program, more, _) in PEERS.items()}
    rates = await in_turns(effort.rounds, {"Fairloop": ours, **theirs})
    return [
        Comparison(4, f"events counted on Kafka, vs. {name}", rates["Fairloop"], "/s", rates[name], target)
        for name, (_, _, target) in PEERS.items()
    ]


def _peer(program: str, log_url: str, effort: Effort, more: list[str]) -> Callable[[int], Awaitable[float]]:
    async def rate(number: int) -> float:
        process = await asyncio.create_subprocess_exec(
            PYTHON,
            HERE / program,
            log_url.removeprefix("kafka://"),
            str(effort.events),
            *more,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdout=PIPE,
            stderr=PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{errors.decode()[-4000:]}")
        return effort.events / float(json.loads(output.decode().splitlines()[-1]))

    return rate
