"""A bonus run of many payees, whole: from the request to everything committed, against what no run can do without.

The floor reads the same plan, assignments and acceptances, asks for the same frozen figures, computes every payout
with floating point in arrays (numpy), and writes one row of amounts a payee by COPY. It keeps nothing that explains an
amount. The ORM's way does the same with one object a payee and Decimal.
"""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date

import httpx
import msgspec
from tests.bench import paying_plain
from tests.bench.rounds import Comparison, Effort, at_least, at_most, in_turns
from tests.unit.bonus.portfolio import Steady, portfolio

from bonus.domain.plan import Plan
from bonus.domain.snapshot import Snapshot
from bonus.domain.standing import Standing
from bonus.main import service
from bonus.service.calculation import calculate_period
from fairloop.auth import Caller
from fairloop.db import copy_in, sql
from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running

USUAL = Steady(stay=0.94, move=0.03, join=0.02)
RESPONSES = 2
"""For each payee: a plan of 100,000 whose snapshot holds 200,000 responses."""
BY_ORM = 1_000


class FrozenFacts:
    """Answers as kpi-aggregator would, with bytes made before."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._head = msgspec.json.encode({"id": snapshot.id})
        self.body = msgspec.json.Encoder(decimal_format="number").encode(snapshot)

    def __call__(self, peer: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url=f"http://{peer}")

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, content=self._head)
        return httpx.Response(200, content=self.body)


async def compare_paying(postgres: PostgresServer, effort: Effort) -> list[Comparison]:
    """The ORM's way takes as long for every payee, so it is measured with few."""
    title = f"bonus run, {effort.payees:,} payees"
    ways = {"run": run_whole, "floor": paying_plain.floor}
    seconds = await _measured(postgres, effort, effort.payees, ways)
    by_orm = await _measured(postgres, effort, BY_ORM, {"ORM": paying_plain.with_orm})
    return [
        Comparison(
            7, f"{title}, vs. fetch + vectors + COPY", seconds["run"], "s", seconds["floor"], at_most(1.3)
        ),
        Comparison(
            7,
            f"{title}, vs. the ORM's way",
            [effort.payees / taken for taken in seconds["run"]],
            "payees/s",
            [BY_ORM / taken for taken in by_orm["ORM"]],
            at_least(25),
        ),
    ]


Way = Callable[[Box], Awaitable[None]]


async def _measured(
    postgres: PostgresServer, effort: Effort, payees: int, ways: Mapping[str, Way]
) -> dict[str, list[float]]:
    """Seconds of each way, round by round."""
    plan, standing, snapshots = portfolio(
        random.Random(payees), "overachievement", "A", payees=payees, responses=RESPONSES, steady=USUAL
    )
    async with running(service, postgres, peers=FrozenFacts(snapshots["nps"])) as box:
        await _prepare(box, plan, standing)
        del plan, standing, snapshots  # a process that pays holds no second copy of everything
        for way in ways.values():
            await way(box)  # connections and statements are made once, not in the first round

        def timed(way: Way) -> Callable[[int], Awaitable[float]]:
            async def seconds(number: int) -> float:
                started = time.perf_counter()
                await way(box)
                return time.perf_counter() - started

            return seconds

        return await in_turns(effort.rounds, {name: timed(way) for name, way in ways.items()})


async def run_whole(box: Box) -> None:
    """What POST /v1/periods/…/calculate does."""
    caller = Caller(sub="bench", roles=frozenset())
    async with box.db.begin() as session:
        await calculate_period(session, "2026Q1", runtime=box.runtime, caller=caller, now=box.clock())


async def _prepare(box: Box, plan: Plan, standing: Standing) -> None:
    now = box.clock()
    body = msgspec.json.encode(plan).decode()
    async with box.db.begin() as session:
        await sql(
            session,
            "INSERT INTO plan (id, version, status, body, text_hash, changed_at, changed_by)"
            " VALUES ('p', 1, 'published', $1::jsonb, $2, $3, 'bench')",
            body,
            plan.text_hash,
            now,
        )
        await sql(
            session,
            "INSERT INTO period (id, plan, date_from, date_to, status) VALUES ('2026Q1', 'p', $1, $2, 'open')",
            standing.period.start,
            standing.period.end,
        )
        await copy_in(
            session,
            "assignment",
            ("assignment", "version", "employee", "role", "org_unit", "valid_from", "valid_to"),
            _postings(standing),
        )
        await copy_in(
            session,
            "acceptance",
            ("plan", "text_hash", "employee", "accepted_at", "recorded_by"),
            [("p", plan.text_hash, employee, now, "bench") for employee in standing.accepted],
        )
        await sql(session, "ANALYZE")


def _postings(standing: Standing) -> list[tuple[str, int, str, str, str, date, date | None]]:
    return [
        (f"{employee}-{number}", 1, employee, held.role, held.org_unit, held.days.start, held.days.end)
        for employee, assignments in standing.assignments.items()
        for number, held in enumerate(assignments)
    ]
