"""One test's pair of services: two databases and two topics of its own, and its processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from tests.fault.checks import check_link, check_log, check_once_each, check_sums, keep_committed
from tests.fault.nursery import Birth
from tests.fault.processes import Nursery, ServiceProcess, until
from tests.fault.sales import CONSUMER_TABLES, PARTITIONS, PRODUCER_TABLES, Plan
from tests.fault.traffic import Traffic

from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer
from fairloop.ids import uuid7
from fairloop.log import open_log
from fairloop.log.port import Log, TopicPartition
from fairloop.testing import ENVIRONMENT, temporary_database
from fairloop.testing_kafka import free_ports
from fairloop.trust import trusted


@dataclass
class Pair:
    """Processes get the databases' and the log's direct addresses unless they are told others."""

    nursery: Nursery
    folder: Path
    plan: Plan
    producer_db: Database
    consumer_db: Database
    log: Log
    log_url: str
    traffic: Traffic = field(default_factory=Traffic)
    api_port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        """Where sales are taken."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def sales(self) -> list[TopicPartition]:
        return [TopicPartition(self.plan.sales_topic, part) for part in range(PARTITIONS)]

    @property
    def counts(self) -> list[TopicPartition]:
        return [TopicPartition(self.plan.counts_topic, part) for part in range(PARTITIONS)]

    async def sell(
        self,
        *,
        api: bool = True,
        worker: bool = True,
        database_url: str | None = None,
        log_url: str | None = None,
    ) -> ServiceProcess:
        """Start the producer. With its API, returns when it answers."""
        port = self.api_port if api else free_ports(1)[0]
        process = self._bear(
            "selling", self.plan, api, worker, port, database_url or self.producer_db.url, log_url
        )
        if api:
            await self.answering(process)
        return process

    async def count(
        self,
        *,
        group: str | None = None,
        release: str = "good",
        database_url: str | None = None,
        log_url: str | None = None,
    ) -> ServiceProcess:
        """Start a consumer. A `group` of its own spares it the wait for a dead one's session to end."""
        plan = msgspec.structs.replace(self.plan, group=group or self.plan.group, release=release)
        [port] = free_ports(1)
        return self._bear("counting", plan, False, True, port, database_url or self.consumer_db.url, log_url)

    def _bear(
        self,
        service: Any,
        plan: Plan,
        api: bool,
        worker: bool,
        port: int,
        database_url: str,
        log_url: str | None,
    ) -> ServiceProcess:
        environment = {
            "FAIRLOOP_DATABASE_URL": database_url,
            "FAIRLOOP_LOG_URL": log_url or self.log_url,
            "FAIRLOOP_PORT": str(port),
            "FAIRLOOP_PSEUDONYM_KEY": ENVIRONMENT["pseudonym_key"],
            "FAIRLOOP_TOKEN_PUBLIC_KEY": ENVIRONMENT["token_public_key"],
        }
        name = f"{service}-{len(self.nursery.children) + 1}"
        birth = Birth(
            service=service,
            plan=plan,
            api=api,
            worker=worker,
            environment=environment,
            output=str(self.folder / f"{name}.log"),
        )
        return self.nursery.bear(birth, name=name, port=port)

    async def answering(self, process: ServiceProcess) -> None:
        """Until the process answers on HTTP."""

        async def answers() -> bool:
            assert process.alive, f"{process.name} ended:\n{process.output.read_text()[-3000:]}"
            return await self.ready(process) is not None

        await until(answers, f"{process.name} answers")

    async def ready(self, process: ServiceProcess) -> dict[str, Any] | None:
        """What its /readyz says, with the `code`; None when nobody answers."""
        async with httpx.AsyncClient(timeout=5, verify=trusted()) as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{process.port}/readyz")
            except httpx.TransportError:
                return None
        return {"code": answer.status_code, **answer.json()}

    async def halted(self, process: ServiceProcess, partitions: int = 1) -> list[str]:
        """Until so many partitions of the process are halted; the reasons."""
        reasons: list[str] = []

        async def stands() -> bool:
            state = await self.ready(process)
            reasons[:] = list((state or {}).get("halted", {}).values())
            return len(reasons) >= partitions

        await until(stands, f"{process.name} halts")
        return reasons

    async def numbered(self, count: int) -> None:
        """Until so many events in the producer's outbox have a number."""

        async def given() -> bool:
            [(found,)] = await self.rows(
                self.producer_db, "SELECT count(*) FROM outbox WHERE pseq IS NOT NULL"
            )
            return bool(found >= count)

        await until(given, f"{count} events are numbered")

    async def drained(self, *, seconds: float = 60) -> None:
        """Until the producer's outbox is empty."""

        async def empty() -> bool:
            return (await self.rows(self.producer_db, "SELECT count(*) FROM outbox"))[0][0] == 0

        await until(empty, "the outbox is empty", seconds=seconds)

    async def records(self) -> int:
        """How many records the sales' topic holds, repeats and all."""
        return sum(end - first for first, end in (await self.log.bounds(self.sales)).values())

    async def rows(self, db: Database, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        async with db.begin() as session:
            return [tuple(row) for row in await sql(session, statement, *arguments)]

    async def applied(self, count: int | None = None, *, seconds: float = 60) -> None:
        """Until so many events (or all that were sent) were given to the handler."""
        wanted = len(self.traffic.sent) if count is None else count

        async def reached() -> bool:
            [(found,)] = await self.rows(self.consumer_db, "SELECT count(*) FROM applied")
            return bool(found >= wanted)

        await until(reached, f"{wanted} events are applied", seconds=seconds)

    async def settled(self, *, seconds: float = 60) -> None:
        """Until everything sent was applied, both outboxes are empty and the position is at the log's end."""
        await self.applied(seconds=seconds)

        async def quiet() -> bool:
            for db in (self.producer_db, self.consumer_db):
                if (await self.rows(db, "SELECT count(*) FROM outbox"))[0][0]:
                    return False
            bounds = await self.log.bounds(self.sales)
            positions = await self.rows(self.consumer_db, "SELECT part, next_offset FROM consumer_pos")
            reached = {TopicPartition(self.plan.sales_topic, part): at for part, at in positions}
            return all(reached.get(partition, 0) == end for partition, (_, end) in bounds.items())

        await until(quiet, "both outboxes are empty and the position is at the log's end", seconds=seconds)

    async def check(self, *, seconds: float = 60) -> None:
        """Wait until everything has arrived, then: nothing lost, nothing twice, nothing out of order."""
        await self.settled(seconds=seconds)
        assert await check_link(self.producer_db, self.consumer_db, self.log, self.sales) == len(
            self.traffic.sent
        )
        await check_sums(self.consumer_db, self.traffic.fold())
        published = [
            event for part in self.counts for event in await check_log(self.consumer_db, self.log, part)
        ]
        check_once_each(published)
        assert len(published) == len(self.traffic.sent)


async def make_tables(db: Database, metadata: Any) -> None:
    async with db.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await keep_committed(db)


@asynccontextmanager
async def open_pair(
    nursery: Nursery,
    folder: Path,
    postgres: PostgresServer,
    log_url: str,
    *,
    consumers_postgres: PostgresServer | None = None,
) -> AsyncIterator[Pair]:
    """A pair that has sent nothing yet; its processes are ended with the block."""
    name = f"fault-{uuid7().hex[-10:]}"
    async with (
        temporary_database(postgres) as producer_db,
        temporary_database(consumers_postgres or postgres) as consumer_db,
        open_log(log_url) as log,
    ):
        await make_tables(producer_db, PRODUCER_TABLES)
        await make_tables(consumer_db, CONSUMER_TABLES)
        plan = Plan(name=name, group=f"{name}-counting")
        await log.create_topics(plan.topics)
        pair = Pair(nursery, folder, plan, producer_db, consumer_db, log, log_url)
        born = len(nursery.children)
        try:
            yield pair
        finally:
            for child in nursery.children[born:]:
                await child.kill()
