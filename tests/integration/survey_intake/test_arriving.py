"""The statement for new answers and exact repeats: what it decides, and what it leaves alone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest
from tests.integration.survey_intake.platform import connect_own, own

from fairloop.db import sql
from fairloop.events import SurveyResponse
from fairloop.outbox import CHANNEL
from fairloop.testing import Box
from survey_intake.intake import Intake
from survey_intake.line import SETTINGS, Line
from survey_intake.service.arriving import STATEMENT, arrive
from survey_intake.service.deliveries import Receipt, Understood
from survey_intake.service.posting import address, understood

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Arrivals:
    """Sends batches of our own format straight to the statement, over a line of its own."""

    def __init__(self, box: Box) -> None:
        self.intake: Intake = box.app.state.resource
        self.line = Line(box.db.url)

    async def read(self, external_id: str = "r1", **changes: Any) -> Understood:
        config = await self.intake.connections.read("own")
        assert config is not None
        posted = address(json.dumps(own(external_id, **changes)).encode(), "")
        day_zone, keyring = self.intake.settings.zone, self.intake.keyring
        delivery = understood(posted, config, now=NOW, day_zone=day_zone, keyring=keyring)
        assert isinstance(delivery, Understood)
        return delivery

    async def send(self, *deliveries: Understood) -> list[Receipt | None]:
        return await arrive(self.line.fetch, deliveries, self.intake.keyring.vault)


@pytest.fixture
async def arrivals(box: Box) -> AsyncIterator[Arrivals]:
    await connect_own(box)
    opened = Arrivals(box)
    yield opened
    opened.line.close()


def outcomes(receipts: list[Receipt | None]) -> list[str | None]:
    return [receipt.outcome if receipt else None for receipt in receipts]


async def rows_of(box: Box, table: str) -> int:
    async with box.db.begin() as session:
        count: int = (await sql(session, f"SELECT count(*) FROM {table}"))[0][0]
    return count


async def test_a_batch_of_new_answers_and_repeats_is_decided_at_once(box: Box, arrivals: Arrivals) -> None:
    a, b = await arrivals.read(external_id="a"), await arrivals.read(external_id="b", customer=None)

    first = await arrivals.send(a, b, a)
    again = await arrivals.send(b, a)

    assert outcomes(first) == ["accepted", "accepted", "duplicate"]
    assert outcomes(again) == ["duplicate", "duplicate"]
    assert {receipt.response_id for receipt in again if receipt} == {
        receipt.response_id for receipt in first if receipt
    }
    assert len(await box.published(SurveyResponse)) == 2


async def test_a_revision_is_left_undecided_and_so_is_what_comes_after_it(
    box: Box, arrivals: Arrivals
) -> None:
    a = await arrivals.read()
    revised = await arrivals.read(scores={"nps": 9})

    together = await arrivals.send(a, revised, a)
    alone = await arrivals.send(revised)

    assert outcomes(together) == ["accepted", None, None]
    assert outcomes(alone) == [None]
    assert await rows_of(box, "revision") == 1


async def test_the_same_answer_at_a_later_time_is_undecided_because_it_moves_the_platforms_clock(
    box: Box, arrivals: Arrivals
) -> None:
    await arrivals.send(await arrivals.read())

    later = await arrivals.read(updated_at="2026-03-01T09:00:00Z")

    assert outcomes(await arrivals.send(later)) == [None]


async def test_a_known_customers_answer_is_undecided_and_nothing_of_it_is_kept(
    box: Box, arrivals: Arrivals
) -> None:
    await arrivals.send(await arrivals.read(external_id="a"))

    assert outcomes(await arrivals.send(await arrivals.read(external_id="b"))) == [None]
    assert [await rows_of(box, table) for table in ("response", "revision", "outbox")] == [1, 1, 1]


async def test_what_was_checked_with_an_outdated_connection_is_undecided(
    box: Box, arrivals: Arrivals
) -> None:
    old = await arrivals.read(external_id="a")
    await connect_own(box, timezone="Asia/Tokyo")
    new = await arrivals.read(external_id="b", customer={"ref": "another"})

    assert outcomes(await arrivals.send(old, new)) == [None, "accepted"]
    assert outcomes(await arrivals.send(old)) == [None]


async def test_the_relay_is_woken_by_the_same_statement_and_only_when_there_is_something(
    box: Box, arrivals: Arrivals
) -> None:
    answer = await arrivals.read()
    listener = await asyncpg.connect(box.db.url)
    woken: asyncio.Queue[str] = asyncio.Queue()
    await listener.add_listener(CHANNEL, lambda *args: woken.put_nowait(CHANNEL))

    await arrivals.send(answer)
    await asyncio.wait_for(woken.get(), 5)
    await arrivals.send(answer)
    await listener.fetch("SELECT 1")

    assert woken.empty()
    await listener.close()


async def test_the_plan_never_scans_a_table_though_it_was_made_when_all_were_empty(box: Box) -> None:
    connection = await asyncpg.connect(box.db.url, server_settings=SETTINGS)

    await connection.execute(f"PREPARE arriving AS {STATEMENT}")
    nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", STATEMENT))))
    (plan,) = msgspec.json.decode(
        await connection.fetchval(f"EXPLAIN (FORMAT json) EXECUTE arriving({nothing})")
    )
    await connection.close()

    scanned: list[str] = []
    waiting = [plan["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        scanned += [node["Relation Name"]] if node["Node Type"] == "Seq Scan" else []
    assert scanned == []


async def test_a_line_that_broke_is_opened_again(box: Box) -> None:
    line = Line(box.db.url)
    (first,) = (await line.fetch("SELECT pg_backend_pid()"))[0]
    with_timeout = asyncio.wait_for(line.fetch("SELECT pg_sleep(60)"), 0.05)
    assert isinstance(await asyncio.gather(with_timeout, return_exceptions=True), list)

    (second,) = (await line.fetch("SELECT pg_backend_pid()"))[0]

    assert second != first
    line.close()
