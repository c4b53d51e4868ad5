"""Events consumed in a second, effectively once and durably, against counting them in memory only."""

import secrets
from collections.abc import Awaitable, Callable

from tests.bench.processes import result_of
from tests.bench.results import fill
from tests.bench.rounds import Comparison, Effort, at_least, in_turns

from fairloop.embedded import PostgresServer

WAYS = ("runtime", "memory", "lean")


async def compare_consumer(
    name: str, log_url: str, postgres: PostgresServer, effort: Effort
) -> list[Comparison]:
    """On the log at `log_url`, which must not have the topic of attribution yet."""
    password = secrets.token_hex(16)
    await postgres.ensure_role_and_database("counting", password)
    database_url = postgres.url("counting", role="counting", password=password)
    await fill(log_url, effort.events)

    def measure(way: str) -> Callable[[int], Awaitable[float]]:
        async def rate(number: int) -> float:
            group = f"{way}-{number}"
            events = str(effort.events)
            seconds = await result_of("tests.bench.counting", way, log_url, database_url, events, group)
            return effort.events / float(seconds)

        return rate

    rates = await in_turns(effort.rounds, {way: measure(way) for way in WAYS})
    title = f"events counted on {name}"
    return [
        Comparison(
            3, f"{title}, vs. the same loop in memory", rates["runtime"], "/s", rates["memory"], at_least(0.4)
        ),
        Comparison(3, f"{title}, vs. the leanest loop", rates["runtime"], "/s", rates["lean"]),
    ]
