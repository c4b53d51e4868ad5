"""How many statements a delivery costs. PostgreSQL itself counts: it writes every statement into its log."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.integration.survey_intake.platform import connect, deliver, formbricks

from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import SurveyResponse
from fairloop.testing import Box, running
from survey_intake.main import service


class Statements:
    """What the server was asked since the last look, BEGIN and COMMIT included."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.seen = 0

    def new(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        told = [line for line in lines[self.seen :] if "LOG:  statement:" in line or "LOG:  execute" in line]
        self.seen = len(lines)
        return told


@pytest.fixture(scope="module")
def talkative() -> Iterator[tuple[PostgresServer, Path]]:
    """A server that writes down every statement of every database made after this."""
    with tempfile.TemporaryDirectory(prefix="fairloop-postgres-") as place:
        log = Path(place, "log")
        server = PostgresServer(
            Path(place, "postgres"), password=secrets.token_urlsafe(24), log=log, durable=False
        )
        server.start()
        try:
            yield server, log
        finally:
            server.stop("immediate")


@pytest.fixture
async def counted(talkative: tuple[PostgresServer, Path]) -> AsyncIterator[tuple[Box, Statements]]:
    """An intake that took an answer and its revision already, so that its connections are open."""
    server, log = talkative
    async with running(service, server) as box:
        await connect(box)
        async with box.db.begin() as session:
            (name,) = (await sql(session, "SELECT quote_ident(current_database())"))[0]
            await sql(session, f"ALTER DATABASE {name} SET log_statement = 'all'")
        await box.db.engine.dispose()
        await deliver(box, formbricks("first", answers={"q_nps": 0}))
        await deliver(box, formbricks("first"))
        statements = Statements(log)
        assert statements.new(), "the server writes nothing down"
        yield box, statements


async def test_a_new_answer_costs_one_statement(counted: tuple[Box, Statements]) -> None:
    box, statements = counted

    await deliver(box, formbricks("alone", answers={"h_customer": "somebody new"}))

    assert len(statements.new()) == 1
    assert len(await box.published(SurveyResponse)) == 3


async def test_a_repeated_answer_costs_one_statement(counted: tuple[Box, Statements]) -> None:
    box, statements = counted

    again = await deliver(box, formbricks("first"))

    assert again.json()["outcome"] == "duplicate"
    assert len(statements.new()) == 1


async def test_fifty_answers_at_once_cost_no_more_than_two(counted: tuple[Box, Statements]) -> None:
    box, statements = counted

    answers = await asyncio.gather(
        *(deliver(box, formbricks(f"r{n}", answers={"h_customer": f"c{n % 40}"})) for n in range(50))
    )

    assert {answer.json()["outcome"] for answer in answers} == {"accepted"}
    assert len(statements.new()) <= 2


async def test_a_new_revision_costs_no_more_than_nine(counted: tuple[Box, Statements]) -> None:
    box, statements = counted

    revised = await deliver(box, formbricks("first", answers={"q_nps": 9}))

    assert revised.json()["revision"] == 3
    assert len(told := statements.new()) <= 9, told
