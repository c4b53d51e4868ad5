"""SIGTERM: unready first, answering on, then what is in flight is finished, the group is left, the process ends soon."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from tests.fault.processes import ServiceProcess, until
from tests.fault.proxy import Proxy
from tests.fault.services.processes import Processes
from tests.form import in_the_long_form
from tests.integration.survey_intake.platform import connect, connect_own, deliver, formbricks

from closed_loop.main import service as closed_loop
from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.testing import Box, running, temporary_database
from survey_intake.main import service as survey_intake

SOON = 20
"""Seconds after which a container engine kills."""


@asynccontextmanager
async def intake(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(survey_intake, postgres) as box:
        box.clock.now = datetime.now(UTC)  # the platform signs with the real time
        await connect(box)
        await connect_own(box, "slow", secrets=[], unsigned=True)
        yield box


@asynccontextmanager
async def an_empty_log(postgres: PostgresServer) -> AsyncIterator[Database]:
    async with temporary_database(postgres) as db:
        async with open_log(db.url) as log:
            await log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
        yield db


async def half_a_delivery(
    process: ServiceProcess,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A request whose head has arrived, and a part of its body; the rest of it."""
    answer = {"connection": "slow", "survey_id": "s", "response_id": "in-flight", "scores": {"nps": 9}}
    body = json.dumps({**answer, "submitted_at": "2026-01-01T00:00:00Z"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = f"POST /v1/webhooks/slow HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:40])
    await writer.drain()
    return reader, writer, body[40:]


async def test_a_stopping_api_is_unready_first_and_answers_until_it_takes_no_connections(
    postgres: PostgresServer, processes: Processes
) -> None:
    async with intake(postgres) as box:
        api = await processes.start("survey_intake", "api", database_url=box.db.url, drain_seconds="1")
        client = processes.client(api)
        reader, writer, rest = await half_a_delivery(api)
        assert (await client.get("/readyz")).status_code == 200  # by then the server has begun with it

        began = time.monotonic()
        api.signal(signal.SIGTERM)

        async def unready() -> bool:
            answer = await client.get("/readyz")
            return answer.status_code == 503 and answer.json()["reasons"] == ["shutting down"]

        await until(unready, "it is unready")
        late = await deliver(box, formbricks("while draining"), by=client)
        assert (late.status_code, late.headers["connection"]) == (202, "close")

        async def closed() -> bool:
            try:
                await client.get("/healthz")
            except httpx.ConnectError:
                return True
            return False

        await until(closed, "it takes no connections")
        assert time.monotonic() - began >= 1
        writer.write(rest)
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        writer.close()
        assert await processes.buried(api) == 0
        assert time.monotonic() - began < SOON


async def test_a_stopping_worker_leaves_its_group_before_it_ends(
    postgres: PostgresServer, processes: Processes
) -> None:
    async with running(closed_loop, postgres) as box, an_empty_log(postgres) as log_db:
        members = "SELECT count(*) FROM fairloop_log.group_member WHERE group_name = 'closed-loop'"

        async def count() -> int:
            async with log_db.begin() as session:
                return int((await sql(session, members))[0][0])

        async def both() -> bool:
            return await count() == 2

        places = {"database_url": box.db.url, "log_url": log_db.url}
        leaving, staying = [await processes.start("closed_loop", "worker", **places) for _ in range(2)]
        await until(both, "both are in the group")

        began = time.monotonic()
        leaving.signal(signal.SIGTERM)

        assert await processes.buried(leaving) == 0
        assert time.monotonic() - began < SOON
        assert await count() == 1
        assert staying.alive


@in_the_long_form
async def test_a_process_whose_database_is_gone_without_a_word_ends_soon_all_the_same(
    postgres: PostgresServer, processes: Processes, proxy: Proxy
) -> None:
    async with running(closed_loop, postgres) as box, an_empty_log(postgres) as log_db:
        url = proxy.url(box.db.url)
        worker = await processes.start("closed_loop", "worker", database_url=url, log_url=log_db.url)

        async def ready() -> bool:
            return (await processes.client(worker).get("/readyz")).status_code == 200

        await until(ready, "it is ready")
        proxy.hold()

        began = time.monotonic()
        worker.signal(signal.SIGTERM)

        assert await processes.buried(worker) in {0, 1}
        assert time.monotonic() - began < SOON
