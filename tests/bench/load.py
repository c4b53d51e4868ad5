"""A survey platform in a hurry, as a process of its own: `python -m tests.bench.load PORT PATH COUNT SERIES`.

Posts signed Formbricks webhooks over 32 connections, every tenth a replay of one sent before. Everything is made
and signed before the clock starts. Prints `{"seconds": …, "statuses": {"202": …}}`.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

import uvloop
from tests.bench.line import connect, post
from tests.integration.survey_intake.platform import SECRET, formbricks

from fairloop.standard_webhooks import secret_key, sign

CONNECTIONS = 32
REPLAYED = 10
"""One delivery in so many was sent before."""


def webhooks(path: str, count: int, series: str) -> list[bytes]:
    """Requests whose responses are new as long as the series is."""
    chance = random.Random(series)
    made: list[bytes] = []
    for number in range(count):
        replay = number % REPLAYED == REPLAYED - 1
        made.append(
            chance.choice(made) if replay else webhook(path, f"{series}-{number}", chance.randint(0, 10))
        )
    return made


def webhook(path: str, name: str, score: int) -> bytes:
    answers = {"q_nps": score, "h_customer": f"customer-{name}", "h_job": f"job-{name}"}
    body = json.dumps(formbricks(f"answer-{name}", answers=answers)).encode()
    now = int(time.time())
    signature = sign(secret_key(SECRET), message_id=name, timestamp=now, body=body)
    headers = {"webhook-id": name, "webhook-timestamp": str(now), "webhook-signature": signature}
    return post(path, headers, body)


async def send(port: int, requests: list[bytes]) -> tuple[float, Counter[int]]:
    """Seconds it took, and how often each status was answered."""
    lines = [await connect(port) for _ in range(CONNECTIONS)]
    waiting: Iterator[bytes] = iter(requests)
    statuses: Counter[int] = Counter()

    async def talk(number: int) -> None:
        for request in waiting:
            status, _ = await lines[number].ask(request)
            statuses[status] += 1

    started = time.perf_counter()
    await asyncio.gather(*(talk(number) for number in range(CONNECTIONS)))
    seconds = time.perf_counter() - started
    for line in lines:
        line.close()
    return seconds, statuses


if __name__ == "__main__":
    port, path, count, series = sys.argv[1:]
    seconds, statuses = uvloop.run(send(int(port), webhooks(path, int(count), series)))
    print(json.dumps({"seconds": seconds, "statuses": statuses}))
