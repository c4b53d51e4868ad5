"""The whole installation on real servers, with a proxy on every way that can be cut."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.schedule import LOG_LINKS, Log
from tests.chaos.second_workers import SecondWorker
from tests.e2e.installation import Installation, installed
from tests.e2e.mailbox import Mailbox, mailbox
from tests.fault.proxy import Proxy
from tests.integration.closed_loop.outside import HttpServer, http_server

from closed_loop.domain.calendar import WEEKDAYS
from fairloop.cli.installation import LOG_DATABASE, LOG_VARIABLE, service_named
from fairloop.cli.installation import Installation as Launcher
from fairloop.cli.reach import wiring_of
from fairloop.embedded import PostgresServer
from fairloop.services import SERVICES
from fairloop.testing_kafka import KafkaCluster, free_ports


@dataclass
class Stand:
    """What runs. `links` by the names the schedule uses; `databases` and `log_url` bypass the proxies."""

    folder: Path
    log: Log
    postgres: PostgresServer
    passwords: dict[str, str]
    brokers: KafkaCluster | None = None
    crashing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a server is down: on a slow machine one may come up only when the next is to go."""
    links: dict[str, Proxy] = field(default_factory=dict)
    workers: dict[str, SecondWorker] = field(default_factory=dict)
    subscriber: HttpServer | None = None
    mails: Mailbox | None = None
    installation: Installation = field(init=False)

    def database(self, service: str) -> str:
        return self._direct(service_named(service).package)

    @property
    def log_url(self) -> str:
        """For looking at the log when everything is healed."""
        return self.brokers.url if self.brokers else self._direct(LOG_DATABASE)

    def _direct(self, name: str) -> str:
        return self.postgres.url(name, role=name, password=self.passwords[name])

    def pid(self, target: str) -> int | None:
        """Of "<service> api+worker" or "<service> worker"; None while it is being started again."""
        service, _, which = target.partition(" ")
        if which == "worker":
            return self.workers[service].pid
        with suppress(FileNotFoundError, ValueError):
            return self.installation.pid(service)
        return None

    async def heal(self) -> None:
        """Everything as it should be: proxies pass, servers run, nobody is stopped."""
        for link in self.links.values():
            link.heal()
        await asyncio.to_thread(self.postgres.start)
        if self.brokers is not None:
            for broker in self.brokers.brokers:
                if broker.process is None:
                    self.brokers.start(broker.number)
            await self.brokers.wait_ready()
        for target in (f"{service} {which}" for service in SERVICES for which in ("api+worker", "worker")):
            pid = self.pid(target)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def standing(folder: Path, *, log: Log, breakable: bool = True) -> AsyncIterator[Stand]:
    """Everything started and ready; logs and data stay in the folder.

    `breakable`: with the proxies and a second worker of each service; else as an installation commonly is.
    """
    async with AsyncExitStack() as stack:
        postgres = PostgresServer(
            folder / "postgres",
            password=secrets.token_urlsafe(24),
            log=folder / "postgres.log",
        )
        await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop, "immediate")
        names = [*(service_named(service).package for service in SERVICES), LOG_DATABASE]
        stand = Stand(folder, log, postgres, {name: secrets.token_urlsafe(24) for name in names})
        for name, password in stand.passwords.items():
            await postgres.ensure_role_and_database(name, password)
        if breakable:
            environment = await _link_databases(stand, stack)
            environment[LOG_VARIABLE] = await _link_log(stand, stack)
            environment |= await _listen(stand, stack)
        else:
            environment = {service_named(one).database_variable: stand.database(one) for one in SERVICES}
            if log == "kafka":
                stand.brokers = await stack.enter_async_context(KafkaCluster(folder / "kafka", brokers=3))
            environment[LOG_VARIABLE] = stand.log_url
        context = installed(folder / "home", prepared=None, **environment)
        stand.installation = await asyncio.to_thread(context.__enter__)
        stack.push_async_callback(asyncio.to_thread, context.__exit__, None, None, None)
        if breakable:
            await _start_second_workers(stand, stack)
            stack.push_async_callback(stand.heal)
        yield stand


async def _link_databases(stand: Stand, stack: AsyncExitStack) -> dict[str, str]:
    """The environment variables that name each service's database."""
    environment: dict[str, str] = {}
    for service in SERVICES:
        link = await stack.enter_async_context(Proxy())
        stand.links[f"{service} → database"] = link
        environment[service_named(service).database_variable] = link.url(stand.database(service))
    return environment


async def _link_log(stand: Stand, stack: AsyncExitStack) -> str:
    """The address of the log, through proxies."""
    names = LOG_LINKS[stand.log]
    links = [await stack.enter_async_context(Proxy()) for _ in names]
    stand.links.update(zip(names, links, strict=True))
    if stand.log == "embedded":
        return links[0].url(stand.log_url)
    cluster = KafkaCluster(stand.folder / "kafka", brokers=3, detours=[[link.port for link in links]])
    for link, broker in zip(links, cluster.brokers, strict=True):
        link.target = ("127.0.0.1", broker.detours[0][0])
    stand.brokers = await stack.enter_async_context(cluster)
    return cluster.detour_url(0)


async def _listen(stand: Stand, stack: AsyncExitStack) -> dict[str, str]:
    """A subscriber and a mail server that never fail; digests are due at once."""
    stand.subscriber = await stack.enter_async_context(http_server())
    stand.mails = stack.enter_context(mailbox())
    now = datetime.now(UTC)
    return {
        "FAIRLOOP_WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.1/32"]',
        "FAIRLOOP_SMTP_URL": stand.mails.url,
        "FAIRLOOP_MAIL_FROM": "digest@company.test",
        "FAIRLOOP_DIGEST_WEEKDAY": WEEKDAYS[now.weekday()],
        "FAIRLOOP_DIGEST_HOUR": str(now.hour),
    }


async def _start_second_workers(stand: Stand, stack: AsyncExitStack) -> None:
    wiring = wiring_of(Launcher.of(stand.installation.environment))
    for service, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
        spec = service_named(service)
        environment = {**wiring.environment(spec), "FAIRLOOP_PORT": str(port), "FAIRLOOP_DATABASE_POOL": "6"}
        output = stand.installation.home / "logs" / f"{service}-second.log"
        worker = stand.workers[service] = SecondWorker(spec.package, environment, output)
        worker.open()
        stack.push_async_callback(worker.close)
