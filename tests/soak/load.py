"""Signed webhooks at a steady rate, as a process of its own: `python -m tests.soak.load PORT RATE COUNT SERIES`.

Formbricks answers about the jobs of `tests.soak.world`, one in ten sent twice, one in ten revised. RATE 0: as fast as
they are taken. Prints `{"seconds": …, "taken": …}`. What is not answered 202 is sent again.
"""

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import uvloop
from tests.bench.line import Line, connect, post
from tests.chaos.caller import signature
from tests.chaos.company import OWNERS, TRANSACTIONAL
from tests.soak.world import JOBS

CONNECTIONS = 32
PATH = f"/v1/webhooks/{TRANSACTIONAL}"
SCORES = (10, 10, 10, 9, 9, 9, 8, 7, 5, 2)
"""60 % promoters, 20 % passives, 20 % detractors."""
PAUSE = 0.1
ACCEPTED = 202


def body(series: str, number: int) -> bytes:
    """Of ten deliveries in a row the ninth repeats the first and the tenth is a new revision of the second."""
    ten, place = divmod(number, 10)
    answer = 10 * ten + (place if place < 8 else place - 8)
    chance = random.Random(f"{series} {answer} {place == 9}")
    submitted = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=answer % 20)
    response = {
        "id": f"{series}-{answer}",
        "surveyId": "soak",
        "createdAt": submitted.isoformat(),
        "updatedAt": (submitted + timedelta(seconds=place == 9)).isoformat(),
        "finished": True,
        "data": {
            "nps": chance.choice(SCORES),
            "rc1": "work",
            "rc2": chance.choice(list(OWNERS)),
            "job": f"job-{answer % JOBS}",
            "customer": f"customer-{answer % JOBS}",
            "why": "words",
        },
    }
    return json.dumps({"event": "responseFinished", "data": response}).encode()


async def send(port: int, rate: float, most: int, series: str) -> tuple[float, int]:
    """The seconds it took and how many were taken."""
    numbers = count()
    began = time.monotonic()

    async def talk(line: Line) -> int:
        taken = 0
        while (number := next(numbers)) < most:
            if rate:
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            content = body(series, number)
            while await answer(line, f"{series}-{number}", content) != ACCEPTED:
                await asyncio.sleep(PAUSE)
            taken += 1
        return taken

    async def answer(line: Line, message: str, content: bytes) -> int:
        status, _ = await line.ask(post(PATH, signature(message, content), content))
        return status

    lines = [await connect(port) for _ in range(CONNECTIONS)]
    taken = await asyncio.gather(*map(talk, lines))
    for line in lines:
        line.close()
    return time.monotonic() - began, sum(taken)


if __name__ == "__main__":
    port, rate, most, series = sys.argv[1:]
    seconds, taken = uvloop.run(send(int(port), float(rate), int(most), series))
    print(json.dumps({"seconds": seconds, "taken": taken}))
