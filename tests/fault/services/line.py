"""The five services with their workers on one embedded log: the whole way of an answer, within the test's process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from tests.fault.processes import until

from attribution.main import service as attribution
from bonus.main import service as bonus
from closed_loop.main import service as closed_loop
from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS, topics_of
from fairloop.log import open_log
from fairloop.log.port import Log, TopicPartition
from fairloop.receipts import read_positions
from fairloop.testing import Box, running, temporary_database
from fairloop.web.health import Health
from fairloop.worker import run_worker
from kpi_aggregator.main import service as kpi_aggregator
from survey_intake.main import service as survey_intake

SERVICES = {one.name: one for one in (survey_intake, attribution, kpi_aggregator, closed_loop, bonus)}


class Line:
    """`boxes` by name; `log_db` holds the log."""

    def __init__(self, boxes: dict[str, Box], event_log: Log, log_db: Database) -> None:
        self.boxes = boxes
        self.log_db = log_db
        self._log = event_log

    async def ask(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """As the administrator; must succeed."""
        answer = await self.boxes[service].http("admin", sub="ada").request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def settled(self, *, seconds: float = 60) -> None:
        """Until every outbox is empty and every consumer at the log's end, twice in a row."""

        async def quiet() -> bool:
            return await self._at_rest() and await self._at_rest()

        await until(quiet, "everything has arrived", seconds=seconds)

    async def _at_rest(self) -> bool:
        for box in self.boxes.values():
            if await self.scalar(box.db, "SELECT count(*) FROM outbox"):
                return False
        for name, box in self.boxes.items():
            topics = topics_of(set(SERVICES[name].handlers(box.runtime.settings, box.clock)))
            partitions = [
                TopicPartition(topic.name, part) for topic in topics for part in range(topic.partitions)
            ]
            async with box.db.begin() as session:
                at = await read_positions(session, partitions)
            for partition, (_, end) in (await self._log.bounds(partitions)).items():
                if end and (partition not in at or at[partition].next_offset < end):
                    return False
        return True

    async def rows(self, db: Database, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        async with db.begin() as session:
            return [tuple(row) for row in await sql(session, statement, *arguments)]

    async def scalar(self, db: Database, statement: str, *arguments: Any) -> Any:
        return (await self.rows(db, statement, *arguments))[0][0]


@asynccontextmanager
async def five_services(postgres: PostgresServer) -> AsyncIterator[Line]:
    """All of them up and working, ended in order."""
    boxes: dict[str, Box] = {}

    def peer(name: str) -> httpx.AsyncClient:
        return boxes[name].http("service")

    async with AsyncExitStack() as stack:
        log_db = await stack.enter_async_context(temporary_database(postgres))
        event_log = await stack.enter_async_context(open_log(log_db.url))
        await event_log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
        for name, service in SERVICES.items():
            boxes[name] = await stack.enter_async_context(
                running(service, postgres, env={"log_url": log_db.url}, peers=peer)
            )
        workers = await stack.enter_async_context(asyncio.TaskGroup())
        for name, box in boxes.items():
            settings = box.runtime.settings.model_copy(update={"database_url": box.db.url})
            runtime = replace(box.runtime, settings=settings)
            workers.create_task(run_worker(SERVICES[name], runtime, Health()), name=name)
            stack.callback(box.runtime.stopping.set)
        yield Line(boxes, event_log, log_db)
