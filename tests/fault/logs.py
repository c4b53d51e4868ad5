"""The logs that faults are tried on: three Kafka brokers of our own, or a database; each with ways through proxies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fault.proxy import Proxy

from fairloop.embedded import PostgresServer
from fairloop.testing_kafka import KafkaCluster

WAYS = 2


@dataclass
class Way:
    """An address of the log behind proxies that are ours: one per broker, or one before the database."""

    url: str
    proxies: list[Proxy]

    def hold(self) -> None:
        for proxy in self.proxies:
            proxy.hold()

    def cut(self) -> None:
        for proxy in self.proxies:
            proxy.cut()

    def half_close(self) -> None:
        for proxy in self.proxies:
            proxy.half_close()

    def heal(self) -> None:
        for proxy in self.proxies:
            proxy.heal()

    def slow(self, seconds: float) -> None:
        for proxy in self.proxies:
            proxy.delay = seconds


@dataclass
class LogUnderTest:
    """The ways are there for every test; each leaves them healed. Kafka has a cluster, the embedded log a server."""

    url: str
    ways: list[Way]
    cluster: KafkaCluster | None = None
    server: PostgresServer | None = None

    async def stop(self) -> None:
        """All brokers are killed; the embedded log's server stops without a checkpoint."""
        if self.cluster is not None:
            await asyncio.to_thread(self.cluster.stop)
        if self.server is not None:
            await asyncio.to_thread(self.server.stop, "immediate")

    async def start(self) -> None:
        """Whatever is down or standing still comes back, with its data."""
        if self.cluster is not None:
            for broker in self.cluster.brokers:
                if broker.process is None:
                    self.cluster.start(broker.number)
                self.cluster.resume(broker.number)
            await self.cluster.wait_ready()
        if self.server is not None:
            await asyncio.to_thread(self.server.start)

    def heal(self) -> None:
        for way in self.ways:
            way.heal()


@asynccontextmanager
async def three_brokers(folder: Path) -> AsyncIterator[LogUnderTest]:
    """Three brokers, replication factor 3, two of them in sync before anything counts as written."""
    async with AsyncExitStack() as stack:
        proxies = [[await stack.enter_async_context(Proxy()) for _ in range(3)] for _ in range(WAYS)]
        detours = [[proxy.port for proxy in way] for way in proxies]
        cluster = KafkaCluster(folder, brokers=3, detours=detours)
        for number, way in enumerate(proxies):
            for proxy, broker in zip(way, cluster.brokers, strict=True):
                proxy.target = ("127.0.0.1", broker.detours[number][0])
        await stack.enter_async_context(cluster)
        ways = [Way(cluster.detour_url(number), way) for number, way in enumerate(proxies)]
        yield LogUnderTest(cluster.url, ways, cluster)


@asynccontextmanager
async def embedded_log(server: PostgresServer, url: str) -> AsyncIterator[LogUnderTest]:
    """The embedded log in a database of this server."""
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy()) for _ in range(WAYS)]
        yield LogUnderTest(url, [Way(proxy.url(url), [proxy]) for proxy in proxies], server=server)
