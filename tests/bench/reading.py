"""KPI figures read from a year of responses: one scope through the real API, all employees against an SQL scan.

The responses of one day go through the real handlers; the other days of the year are copies of what these wrote, made
by the database. Figures are read from buckets alone, so contributions are not copied. The scan reads one narrow row a
response and employee from a covering index, and sums up as little as a figure needs.
"""

import random
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

import asyncpg
from tests.bench.grounds import new_database
from tests.bench.line import connect, get
from tests.bench.processes import run, server
from tests.bench.results import result_of
from tests.bench.rounds import Comparison, Effort, at_least, at_most, in_turns

from fairloop.auth import Role, mint_token
from fairloop.clock import system_clock
from fairloop.db import Database
from fairloop.dispatch import dispatch
from fairloop.embedded import PostgresServer
from fairloop.events import AttributionResult, Employee, OrgUnit
from fairloop.testing import ENVIRONMENT, PRIVATE_KEY
from fairloop.testing_kafka import free_ports
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.main import service
from kpi_aggregator.service.figures import read_group

EMPLOYEES = 500
FIRST = date(2026, 3, 1)
YEAR, FIFTH = 365, 73
WINDOW = Days(FIRST + timedelta(days=10), FIRST + timedelta(days=70))
READS = 200
"""In one round."""

_SCAN = """
SELECT employee, count(*), count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score <= 6)
FROM answer WHERE day >= $1 AND day < $2 GROUP BY employee
"""


async def compare_reading(postgres: PostgresServer, folder: Path, effort: Effort) -> list[Comparison]:
    """Read with a fifth of the responses first, then with all."""
    url = await new_database(postgres, "kpi_aggregator")
    (port,) = free_ports(1)
    environment = {f"FAIRLOOP_{name.upper()}": value for name, value in ENVIRONMENT.items()} | {
        "FAIRLOOP_DATABASE_URL": url,
        "FAIRLOOP_PORT": str(port),
    }
    await run("kpi_aggregator.main", "migrate", environment=environment)
    db = Database(url)
    connection = await asyncpg.connect(url)
    try:
        await _first_day(db, effort.held // YEAR)
        log = folder / "api.log"
        async with server("kpi_aggregator.main", "api", port=port, log=log, environment=environment):
            await _lengthen(connection, 1, FIFTH)
            few = await in_turns(effort.rounds, {"one": _one_scope(port)})
            await _lengthen(connection, FIFTH, YEAR)
            await _check(connection, effort.held // YEAR)
            many = await in_turns(
                effort.rounds,
                {"one": _one_scope(port), "all": _all_scopes(db), "scan": _scan(connection)},
            )
    finally:
        await connection.close()
        await db.close()
    held = f"{effort.held / 1e6:g} M responses"
    p99 = [_p99(seconds) for seconds in many["one"]]
    return [
        Comparison(6, f"one figure over HTTP, {held}, p99", p99, "ms", target=at_most(5, "ms")),
        Comparison(
            6, f"the same, a fifth of them → {held}, p50", _p50s(many), "ms", _p50s(few), at_most(1.2)
        ),
        Comparison(
            6,
            f"figures of {EMPLOYEES} employees, vs. a scan of a covering index",
            [1 / seconds[0] for seconds in many["all"]],
            "/s",
            [1 / seconds[0] for seconds in many["scan"]],
            at_least(12),
        ),
    ]


def _p99(seconds: list[float]) -> float:
    return 1000 * quantiles(seconds, n=100)[98]


def _p50s(rounds: dict[str, list[list[float]]]) -> list[float]:
    return [1000 * median(seconds) for seconds in rounds["one"]]


async def _first_day(db: Database, responses: int) -> None:
    """Through the real handlers; the scan's table gets the same."""
    chance = random.Random(responses)
    handlers = service.handlers(None, system_clock)
    units = [OrgUnit(version=1, org_unit="north", name="North")]
    people = [Employee(version=1, employee=f"mechanic-{number}") for number in range(EMPLOYEES)]
    async with db.begin() as session:
        await dispatch(session, handlers, [*units, *people])
    connection = await asyncpg.connect(db.url)
    await connection.execute(
        "CREATE TABLE answer (day date NOT NULL, employee text NOT NULL, score smallint NOT NULL)"
    )
    for start in range(0, responses, 2000):
        results = [
            result_of(chance, employees=EMPLOYEES, days=1) for _ in range(min(2000, responses - start))
        ]
        async with db.begin() as session:
            await dispatch(session, handlers, results)
        await connection.copy_records_to_table("answer", records=_answers(results))
    await connection.close()


def _answers(results: list[AttributionResult]) -> list[tuple[date, str, int | None]]:
    return [
        (result.response.day, participant.employee, result.response.scores.nps)
        for result in results
        for participant in result.participants
    ]


async def _lengthen(connection: "asyncpg.Connection[asyncpg.Record]", have: int, want: int) -> None:
    """Copy the first day to every day of [have, want)."""
    columns = await connection.fetchval(
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_name = 'bucket' AND is_generated = 'NEVER'"
    )
    shifted = columns.replace("day", "day + later", 1)
    await connection.execute("DROP INDEX IF EXISTS answer_covering")
    for table, names, values in (
        ("bucket", columns, shifted),
        ("answer", "day, employee, score", "day + later, employee, score"),
    ):
        await connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table},"
            f" generate_series({have}, {want - 1}) AS later WHERE day = $1",
            FIRST,
        )
    await connection.execute("CREATE INDEX answer_covering ON answer (day, employee, score)")
    for table in ("bucket", "month_bucket", "answer"):
        await connection.execute(f"VACUUM ANALYZE {table}")


async def _check(connection: "asyncpg.Connection[asyncpg.Record]", a_day: int) -> None:
    """Days and months say what was sent."""
    for table in ("bucket", "month_bucket"):
        counted = await connection.fetchval(
            f"SELECT sum(n) FROM {table} WHERE kpi = 'nps' AND scope_type = 'organisation' AND view = 'all'"
        )
        if counted != a_day * YEAR:
            raise RuntimeError(f"{table} holds {counted} responses instead of {a_day * YEAR}")


def _one_scope(port: int) -> Callable[[int], Awaitable[list[float]]]:
    token = mint_token(PRIVATE_KEY, sub="bench", role_names=[Role.ADMIN])
    query = urlencode({"from": WINDOW.start.isoformat(), "to": WINDOW.end.isoformat(), "view": "influenced"})

    async def seconds(number: int) -> list[float]:
        line, chance, taken = await connect(port), random.Random(number), []
        for _ in range(READS):
            path = f"/v1/kpis/nps/employee/mechanic-{chance.randrange(EMPLOYEES)}?{query}"
            request = get(path, {"authorization": f"Bearer {token}"})
            started = time.perf_counter()
            status, body = await line.ask(request)
            taken.append(time.perf_counter() - started)
            if status != 200:
                raise RuntimeError(f"{path} answered {status}: {body.decode()[:500]}")
        line.close()
        return taken

    return seconds


def _all_scopes(db: Database) -> Callable[[int], Awaitable[list[float]]]:
    scopes = [Scope("employee", f"mechanic-{number}", "all") for number in range(EMPLOYEES)]
    year = Days(FIRST, FIRST + timedelta(days=YEAR))

    async def seconds(number: int) -> list[float]:
        started = time.perf_counter()
        async with db.begin() as session:
            figures = await read_group(session, "nps", scopes, year)
        assert len(figures) == EMPLOYEES
        return [time.perf_counter() - started]

    return seconds


def _scan(connection: "asyncpg.Connection[asyncpg.Record]") -> Callable[[int], Awaitable[list[float]]]:
    async def seconds(number: int) -> list[float]:
        started = time.perf_counter()
        rows = await connection.fetch(_SCAN, FIRST, FIRST + timedelta(days=YEAR))
        assert rows
        return [time.perf_counter() - started]

    return seconds
