"""survey-intake killed around its COMMIT, or left without its database: what was answered is kept, and kept once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import asyncpg
import httpx
import pytest
from tests.fault.processes import until
from tests.fault.proxy import COMMITTED, Direction, Proxy
from tests.fault.services.processes import Processes
from tests.integration.survey_intake.platform import connect, deliver, formbricks

from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from survey_intake.main import service


@asynccontextmanager
async def intake(postgres: PostgresServer) -> AsyncIterator[Box]:
    """A database for processes to share, with the platform's connection."""
    async with running(service, postgres) as box:
        box.clock.now = datetime.now(UTC)  # the platform signs with the real time
        await connect(box)
        yield box


async def kept(box: Box) -> tuple[int, int, int]:
    """How many responses, revisions and events to be published there are."""
    connection = await asyncpg.connect(box.db.url)
    try:
        return (
            await connection.fetchval("SELECT count(*) FROM response"),
            await connection.fetchval("SELECT count(*) FROM revision"),
            await connection.fetchval("SELECT count(*) FROM outbox"),
        )
    finally:
        await connection.close()


async def nobody_is_in_a_transaction(box: Box) -> bool:
    connection = await asyncpg.connect(box.db.url)
    try:
        return not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'in transaction'"
        )
    finally:
        await connection.close()


@pytest.mark.fault(1)
@pytest.mark.parametrize(
    ("direction", "marker", "then"),
    [
        pytest.param("to client", COMMITTED, "duplicate", id="after COMMIT, before the answer"),
        pytest.param("to server", b"COMMIT", "accepted", id="before COMMIT"),
    ],
)
async def test_intake_killed_around_its_commit_makes_one_response_of_the_retry(
    postgres: PostgresServer,
    processes: Processes,
    proxy: Proxy,
    direction: Direction,
    marker: bytes,
    then: str,
) -> None:
    async with intake(postgres) as box:
        first = await processes.start("survey_intake", "api", database_url=proxy.url(box.db.url))
        assert (await deliver(box, formbricks("before"), by=processes.client(first))).status_code == 202

        def dies_there(towards: Direction, piece: bytes) -> bool:
            if towards == direction and marker in piece:
                first.signal(signal.SIGKILL)
                return False
            return True

        proxy.tap = dies_there
        with pytest.raises(httpx.TransportError):
            await deliver(box, formbricks("killed"), by=processes.client(first))
        assert await processes.buried(first) == -signal.SIGKILL
        proxy.heal()

        second = await processes.start("survey_intake", "api", database_url=box.db.url)
        retried = await deliver(box, formbricks("killed"), by=processes.client(second))
        again = await deliver(box, formbricks("killed"), by=processes.client(second))

        assert (retried.status_code, retried.json()["outcome"]) == (202, then)
        assert again.json() == retried.json() | {"outcome": "duplicate"}
        assert await kept(box) == (2, 2, 2)


@pytest.mark.fault(9)
async def test_a_database_stopped_mid_commit_means_503_until_it_is_back(
    crashable: PostgresServer, processes: Processes
) -> None:
    """No answer is lost or kept twice, and nobody restarts anything but the database."""
    async with intake(crashable) as box:
        process = await processes.start("survey_intake", "api", database_url=box.db.url)
        client = processes.client(process)
        refusals: list[httpx.Response] = []
        accepted = 0
        answers = asyncio.Queue[str]()
        for number in range(300):
            answers.put_nowait(f"r{number}")

        async def platform() -> None:
            nonlocal accepted
            while not answers.empty():
                answer = answers.get_nowait()
                while (said := await deliver(box, formbricks(answer), by=client)).status_code != 202:
                    refusals.append(said)
                    await asyncio.sleep(0.1)  # a platform's pause before it tries again
                accepted += 1

        async def state() -> tuple[int, list[str]]:
            found = await client.get("/readyz")
            return found.status_code, found.json()["reasons"]

        async def some_are_in() -> bool:
            return accepted >= 30

        async def some_were_refused() -> bool:
            return len(refusals) >= 3

        async def is_ready() -> bool:
            return (await state())[0] == 200

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(platform())
            await until(some_are_in, "answers are taken")
            await asyncio.to_thread(crashable.stop, "immediate")
            await until(some_were_refused, "answers are refused")
            down = await state()
            await asyncio.to_thread(crashable.start)
        await until(is_ready, "the process is ready again")

        assert down == (503, ["the database does not answer"])
        assert {answer.status_code for answer in refusals} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refusals)
        assert await kept(box) == (300, 300, 300)
        assert process.alive


@pytest.mark.fault("given up")
@pytest.mark.parametrize("slow", [b"BEGIN", b"COMMIT"])
async def test_answers_after_a_write_that_was_given_up_are_kept(
    postgres: PostgresServer, processes: Processes, proxy: Proxy, slow: bytes
) -> None:
    """The database answers too late to be waited for; then the process dies before anything closes its connection."""
    async with intake(postgres) as box:
        process = await processes.start(
            "survey_intake", "api", database_url=proxy.url(box.db.url), write_seconds="0.3"
        )
        client = processes.client(process)
        assert (await deliver(box, formbricks(), by=client)).status_code == 202

        def late_from_here(direction: Direction, piece: bytes) -> bool:
            if direction == "to server" and slow in piece:
                proxy.delay = 0.6
            return True

        proxy.tap = late_from_here
        given_up = await deliver(box, formbricks(answers={"q_nps": 10}), by=client)
        proxy.heal()
        await until(partial(nobody_is_in_a_transaction, box), "what was given up holds no locks")
        taken = [
            await deliver(box, formbricks(answers={"q_nps": score}), by=client) for score in (10, 9, 8, 7, 6)
        ]
        process.signal(signal.SIGKILL)
        await processes.buried(process)

        assert given_up.status_code == 503
        assert {answer.status_code for answer in taken} == {202}
        assert await kept(box) == (1, 6, 6)
