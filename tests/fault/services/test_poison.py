"""Poison, then corrections for the same key: the key waits, everybody else is counted, and the replay is exact."""

from typing import Any
from uuid import UUID

import pytest
from tests.fault.processes import until
from tests.fault.services.line import Line
from tests.integration.attribution.company import job, set_up
from tests.integration.survey_intake.platform import connect_own, own

from fairloop.events import AttributionResult
from fairloop.parking import retry_key
from fairloop.wire import Decoder
from kpi_aggregator.main import service as kpi_aggregator

pytestmark = pytest.mark.fault(14)


async def test_a_poisoned_response_waits_with_its_corrections_while_others_are_counted(line: Line) -> None:
    """The poison is real: kpi-aggregator's database refuses one response, as after a migration gone wrong."""
    await set_up(line.boxes["attribution"])
    await connect_own(line.boxes["survey-intake"])
    await line.ask("kpi-aggregator", "PUT", "/v1/kpi-settings/nps", {"min_n": 1})
    for number in range(6):
        await line.ask("attribution", "POST", "/v1/interactions", job(f"job-{number}", "m1"))
    aggregator = line.boxes["kpi-aggregator"].db
    await line.settled()
    await line.rows(aggregator, "ALTER TABLE contribution ADD CONSTRAINT mistake CHECK (day < '2026-02-05')")

    poison = await answer(line, "poison", 2, minute=0, day=5)
    await until(lambda: parked(line, 1), "the poison is parked", seconds=90)
    for number in range(6):
        await answer(line, f"r{number}", 10, minute=0, day=1)
    await answer(line, "poison", 7, minute=1, day=5)
    await answer(line, "r0", 3, minute=1, day=1)
    await line.ask("attribution", "POST", "/v1/interactions", job("job-poison", "m2"))
    await answer(line, "poison", 10, minute=2, day=5)
    await line.settled()

    waiting = await line.rows(aggregator, 'SELECT error_class, key FROM parked_event ORDER BY "offset"')
    assert waiting[0] == ("CheckViolationError", poison)
    assert set(waiting[1:]) == {("blocked", poison)}
    assert len(waiting) >= 4  # three answers, and the job that came late
    assert await counted(line) == (6, 5, 1)

    await line.rows(aggregator, "ALTER TABLE contribution DROP CONSTRAINT mistake")
    assert await replayed(line) == len(waiting)
    await answer(line, "poison", 9, minute=3, day=5)
    await line.settled()

    assert await counted(line) == (7, 6, 1)
    assert (await line.ask("kpi-aggregator", "POST", "/v1/recompute"))["equal"]
    [m2] = await line.rows(
        aggregator,
        "SELECT sum(n) FROM bucket WHERE scope_type = 'employee' AND scope_id = 'm2' AND view = 'all'",
    )
    assert m2 == (1,)


async def answer(line: Line, name: str, nps: int, *, minute: int, day: int) -> str:
    """An answer comes in; our id of it."""
    when = {"submitted_at": f"2026-02-0{day}T08:00:00Z", "updated_at": f"2026-02-0{day}T08:0{minute}:00Z"}
    number = name.removeprefix("r")
    body = own(name, scores={"nps": nps}, interaction_ref=f"job-{number}", customer={"ref": "c1"}, **when)
    receipt: dict[str, Any] = await line.ask("survey-intake", "POST", "/v1/responses", body)
    assert receipt["outcome"] == "accepted"
    return str(UUID(receipt["response_id"]))


async def parked(line: Line, count: int) -> bool:
    aggregator = line.boxes["kpi-aggregator"].db
    return bool(await line.scalar(aggregator, "SELECT count(*) FROM parked_event") >= count)


async def counted(line: Line) -> tuple[int, int, int]:
    """Responses, promoters, detractors of the whole organisation."""
    path = "/v1/kpis/nps/organisation/all?period=2026Q1"
    figure = await line.ask("kpi-aggregator", "GET", path)
    return figure["n"], figure["promoters"], figure["detractors"]


async def replayed(line: Line) -> int:
    """What `parked retry` does with the first one."""
    box = line.boxes["kpi-aggregator"]
    first = await line.scalar(box.db, 'SELECT id FROM parked_event ORDER BY "offset" LIMIT 1')
    handlers = kpi_aggregator.handlers(box.runtime.settings, box.clock)
    async with box.db.begin() as session:
        return await retry_key(session, first, handlers, Decoder({AttributionResult}))
