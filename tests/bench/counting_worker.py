"""One of several workers that count: `python -m tests.bench.counting_worker LOG_URL DATABASE_URL`, until SIGTERM."""

import asyncio
import signal
import sys

from tests.bench.counting import Counting

from fairloop import telemetry
from fairloop.consumer import Consumer
from fairloop.db import Database
from fairloop.events import AttributionResult
from fairloop.log import open_log
from fairloop.service import Handlers
from fairloop.web.health import Health


async def main(log_url: str, database_url: str) -> None:
    telemetry.configure_logging("bench")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    db = Database(database_url)
    handlers: Handlers = {AttributionResult: Counting(sys.maxsize)}
    async with open_log(log_url) as event_log:
        consumer = Consumer(service="scale", db=db, event_log=event_log, handlers=handlers, health=Health())
        await consumer.run(stopping)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
