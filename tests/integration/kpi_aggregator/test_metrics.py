"""What /metrics says about the figures: how soon an answer is in them, and how far they may be trusted."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, directory, result, retracted
from tests.integration.kpi_aggregator.test_coverage import answer_to, happened, invited
from tests.integration.runtime.gauges import value

from fairloop.events import AttributionResult
from fairloop.testing import Box
from kpi_aggregator.metrics import measure_trust
from kpi_aggregator.service.contributions import apply_results

COUNTED = "fairloop_answer_counted_seconds"


def received(number: int, seconds_ago: float, *, version: int = 1) -> AttributionResult:
    event = result(answered(number, 9, version=version))
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return replace(event, response=replace(event.response, received_at=at))


def counted() -> tuple[float, float]:
    """In all, and within a minute."""
    return value(f"{COUNTED}_count") or 0, value(f"{COUNTED}_bucket", le="60.0") or 0


async def test_an_answer_is_counted_once_by_how_long_it_took_to_be_in_the_figures(box: Box) -> None:
    every, soon = counted()
    await box.deliver([*directory(), received(1, 5), received(2, 90)])
    assert counted() == (every + 2, soon + 1)
    await box.deliver([received(1, 5), received(1, 300, version=2)])  # again, and another version
    assert counted() == (every + 2, soon + 1)


async def test_an_answer_that_was_withdrawn_before_it_was_counted_is_not_late(box: Box) -> None:
    every, _ = counted()
    await box.deliver([retracted(received(1, 500), version=2)])
    assert counted()[0] == every


async def test_a_batch_that_is_rolled_back_tells_nothing(box: Box) -> None:
    every, _ = counted()

    async def lost() -> None:
        async with box.db.begin() as session:
            await apply_results(session, [received(1, 5)])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await lost()
    assert counted()[0] == every
    await box.deliver([received(1, 5)])
    assert counted()[0] == every + 1


async def measured(box: Box) -> None:
    async with box.db.begin() as session:
        await measure_trust(session, box.runtime)


async def test_coverage_is_told_in_three_counts(box: Box) -> None:
    await measured(box)
    stages = ("eligible", "sent", "answered")
    assert [value("fairloop_coverage_interactions", stage=stage) for stage in stages] == [0, 0, 0]
    await box.deliver([happened("a", "m1"), happened("b", "m1"), happened("c", "m1")])
    await box.deliver([invited("a"), invited("b"), invited("c", sent=False)])
    await box.deliver([answer_to("a", 1)])
    await measured(box)
    assert [value("fairloop_coverage_interactions", stage=stage) for stage in stages] == [3, 2, 1]


async def test_people_are_counted_as_shown_or_suppressed_and_reliability_needs_five_of_them(box: Box) -> None:
    def people(state: str) -> float | None:
        return value("fairloop_employee_figures", kpi="nps", state=state)

    def median() -> float:
        return value("fairloop_employee_reliability", kpi="nps", quantile="0.5") or 0

    await box.deliver([result(answered(number, 9, employee="m1")) for number in range(1, 6)])
    await box.deliver([result(answered(6, 9, employee="m2"))])
    await measured(box)
    assert (people("shown"), people("suppressed")) == (1, 1)
    assert math.isnan(median())
    more = [(number, f"m{number % 4 + 3}") for number in range(100, 120)]
    await box.deliver([result(answered(number, 9, employee=who)) for number, who in more])
    await measured(box)
    assert (people("shown"), people("suppressed")) == (5, 1)
    assert 0 < median() < 1
    await box.deliver([retracted(result(answered(6, 9, employee="m2")), version=2)])
    await measured(box)
    assert (people("shown"), people("suppressed")) == (5, 0)
