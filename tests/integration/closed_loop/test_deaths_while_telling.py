"""The worker is killed between handing something over and writing it down: no webhook is lost, no mail comes twice."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.closed_loop.outside import OtherServices, http_server, mail_server
from tests.integration.closed_loop.test_webhooks import deliveries, subscribe
from tests.integration.closed_loop.world import DIRECTORY, answer

from closed_loop.domain.calendar import WEEKDAYS
from closed_loop.mailing import send_due
from closed_loop.main import service
from closed_loop.posting import post_due
from fairloop.embedded import PostgresServer
from fairloop.testing import ENVIRONMENT, Box, ManualClock, running

LOOP = Path(__file__).with_name("one_loop.py")


class Worker:
    """A process that runs one loop on a box's database."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, name: str, box: Box, env: dict[str, Any]) -> None:
        told = {**ENVIRONMENT, **env, "database_url": box.db.url}
        variables = {
            f"FAIRLOOP_{key.upper()}": value if isinstance(value, str) else json.dumps(value)
            for key, value in told.items()
        }
        environment = {**os.environ, **variables}
        self.process = await asyncio.create_subprocess_exec(sys.executable, str(LOOP), name, env=environment)

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def worker() -> AsyncIterator[Worker]:
    one = Worker()
    try:
        yield one
    finally:
        one.kill()


@asynccontextmanager
async def box_with(postgres: PostgresServer, env: dict[str, Any]) -> AsyncIterator[Box]:
    """The service at the machine's time, as its processes have it."""
    async with running(service, postgres, clock=ManualClock(datetime.now(UTC)), env=env) as box:
        await box.deliver(DIRECTORY)
        yield box


@pytest.mark.fault(19)
async def test_a_webhook_whose_answer_nobody_wrote_down_comes_again_under_the_same_id(
    postgres: PostgresServer,
) -> None:
    env = {"webhook_allowed_networks": ["127.0.0.1/32"]}
    async with http_server() as receiver, worker() as one, box_with(postgres, env) as box:

        def kill_and_take(_: Any) -> tuple[int, Any]:
            one.kill()
            return 200, {}

        receiver.answer = kill_and_take
        await subscribe(box, receiver.url)
        await box.deliver([answer()])
        await one.start("webhooks", box, env)
        assert await one.ended() == -signal.SIGKILL
        assert await post_due(box.runtime) == 0  # another worker does not know yet that it died
        assert (await deliveries(box))[0]["state"] == "pending"
        box.clock.now = datetime.now(UTC) + timedelta(seconds=61)
        assert await post_due(box.runtime) == 1
        first, second = receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert (await deliveries(box))[0]["state"] == "delivered"


@pytest.mark.fault(19)
@pytest.mark.parametrize(
    ("killed_at", "taken", "state"),
    [("recipient", 0, "sent"), ("data", 1, "unknown")],
    ids=["before the mail is handed over: sent once, later", "while handing over: not again, and told"],
)
async def test_a_mail_is_never_sent_twice_whenever_the_worker_dies(
    postgres: PostgresServer, killed_at: str, taken: int, state: str
) -> None:
    now = datetime.now(UTC)
    others = OtherServices(names={who: who for who in ("m1", "bea", "boss", "sam")})
    async with http_server(others) as peers, mail_server() as smtp, worker() as one:
        env = {
            "peer_urls": dict.fromkeys(("attribution", "kpi-aggregator"), peers.url),
            "service_token": "t",
            "smtp_url": smtp.url,
            "mail_from": "digest@glass.test",
            "digest_weekday": WEEKDAYS[now.weekday()],
            "digest_hour": now.hour,
        }
        async with box_with(postgres, env) as box:
            setattr(smtp, "on_rcpt" if killed_at == "recipient" else "on_data", one.kill)
            await one.start("mailing", box, env)
            assert await one.ended() == -signal.SIGKILL
            smtp.on_rcpt = smtp.on_data = lambda: None
            assert len(smtp.mails) == taken
            assert await send_due(box.runtime) == 0  # nobody knows yet that it died
            box.clock.now = datetime.now(UTC) + timedelta(minutes=6)
            await send_due(box.runtime)
            items = (await box.http("ops").get("/v1/digest-deliveries")).json()["items"]
            assert sorted(item["state"] for item in items) == sorted([state, "sent", "sent", "sent"])
            assert len(smtp.mails) == len({mail["Message-ID"] for mail in smtp.mails}) == 4
