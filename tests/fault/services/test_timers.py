"""Durable timers: a worker killed while it fires them, and who waits for whom."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from tests.fault.processes import until
from tests.fault.proxy import COMMITTED, Direction, Proxy
from tests.fault.services.processes import Processes
from tests.integration.closed_loop.world import DIRECTORY, answer, do, only_case, timer_states

from closed_loop.main import service
from closed_loop.tables import CaseRow
from closed_loop.timers import fire_due
from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS, ClosedLoopCase
from fairloop.log import open_log
from fairloop.log.port import Log, TopicPartition
from fairloop.testing import Box, running, temporary_database

pytestmark = pytest.mark.fault(19)

FIRING = b"fired_at"  # in the statement that marks a timer as fired, and in no other


@pytest.fixture
async def overdue(postgres: PostgresServer) -> AsyncIterator[Box]:
    """A case opened a fortnight ago that nobody has looked at: every warning and deadline is due at once."""
    async with running(service, postgres) as box:
        box.clock.now = datetime.now(UTC) - timedelta(days=14)
        await box.deliver(DIRECTORY)
        await box.deliver([answer()])
        box.clock.now = datetime.now(UTC)
        yield box


@pytest.fixture
async def log(postgres: PostgresServer) -> AsyncIterator[tuple[str, Log]]:
    """An embedded log, with its address."""
    async with temporary_database(postgres) as db, open_log(db.url) as opened:
        await opened.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
        yield db.url, opened


@pytest.mark.parametrize("marker", [FIRING, COMMITTED], ids=["within the transaction", "around its COMMIT"])
async def test_a_worker_killed_while_firing_fires_every_timer_once(
    overdue: Box, log: tuple[str, Log], processes: Processes, proxy: Proxy, marker: bytes
) -> None:
    log_url, event_log = log
    proxy.hold()  # nothing is fired before we watch
    first = await processes.start(
        "closed_loop", "worker", database_url=proxy.url(overdue.db.url), log_url=log_url
    )
    killed = asyncio.Event()
    firing = False

    def dies_there(_: Direction, piece: bytes) -> bool:
        nonlocal firing
        firing = firing or FIRING in piece
        if firing and marker in piece:
            first.signal(signal.SIGKILL)
            killed.set()
        return not killed.is_set()

    proxy.heal()
    proxy.tap = dies_there
    await asyncio.wait_for(killed.wait(), 60)
    assert await processes.buried(first) == -signal.SIGKILL
    if marker == FIRING:
        assert set(await timer_states(overdue, "acknowledge")) == {"armed"}

    await processes.start("closed_loop", "worker", database_url=overdue.db.url, log_url=log_url)

    async def everything_fired() -> bool:
        async with overdue.db.begin() as session:
            armed = await sql(session, "SELECT 1 FROM sla_timer WHERE state = 'armed'")
            unsent = await sql(session, "SELECT 1 FROM outbox")
        return not armed and not unsent

    await until(everything_fired, "every timer has fired and its event is in the log")
    case = await only_case(overdue)
    assert [one["kind"] for one in case["history"]].count("breached") == 3  # acknowledge, contact, resolve
    assert [one["kind"] for one in case["notifications"]].count("breach") == 3
    assert [one["kind"] for one in case["notifications"]].count("escalation") == 1
    told = await published(event_log)
    assert [event.version for event in told] == list(range(1, case["version"] + 1))
    assert {clock.state for clock in told[-1].clocks} == {"breached"}


async def published(event_log: Log) -> list[ClosedLoopCase]:
    """What the log holds about the case, each event once."""
    found: dict[bytes, ClosedLoopCase] = {}
    for part in range(TOPICS[ClosedLoopCase.topic].partitions):
        for record in await event_log.read(TopicPartition(ClosedLoopCase.topic, part), 0, max_records=1000):
            found[dict(record.headers)["ce_id"]] = msgspec.json.decode(record.value, type=ClosedLoopCase)
    return list(found.values())


async def _fire(box: Box) -> None:
    assert await fire_due(box.db, box.clock) == 6


async def _acknowledge(box: Box) -> None:
    await do(box, await only_case(box), "acknowledge")


@pytest.mark.parametrize("act", [_fire, _acknowledge], ids=["firing", "acknowledging"])
async def test_whoever_acts_holds_the_case_before_its_timers_so_nobody_waits_in_a_circle(
    overdue: Box, act: Callable[[Box], Awaitable[None]]
) -> None:
    case_id = UUID((await only_case(overdue))["id"])
    async with overdue.db.begin() as holding:
        await sql(holding, "SELECT 1 FROM sla_timer WHERE case_id = $1 FOR UPDATE", case_id)
        acting = asyncio.ensure_future(act(overdue))
        await until(lambda: _somebody_waits(overdue), "the timers are waited for")
        async with overdue.db.begin() as other:
            with pytest.raises(DBAPIError, match="could not obtain lock"):
                await other.execute(select(CaseRow).where(CaseRow.id == case_id).with_for_update(nowait=True))
    await acting


async def _somebody_waits(box: Box) -> bool:
    async with box.db.begin() as session:
        rows = await sql(
            session,
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
    return bool(rows)
