"""Rolling figures that move: found, kept and announced once for each scope and window."""

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, deliver_all, directory, scores

from fairloop.db import sql
from fairloop.events import KpiShift
from fairloop.rebuilding import republish
from fairloop.testing import Box
from kpi_aggregator.service.shifts import Seen
from kpi_aggregator.watching import look

TODAY = date(2026, 3, 2)
"""Of the clock: the last window is 1 February to 2 March, the one before the thirty days until then."""
BEFORE, LAST = date(2026, 1, 20), date(2026, 2, 20)


async def counted(box: Box, day: date, answers: Iterable[int], *, first: int) -> None:
    await deliver_all(
        box,
        [replace(answered(number, nps), day=day) for number, nps in enumerate(answers, start=first)],
    )


async def fallen(box: Box) -> None:
    """North's NPS falls from 80 to −60, and with it all that north is part of and the cause that is named."""
    await box.deliver(directory())
    await counted(box, BEFORE, scores(18, 0, 2), first=1)
    await counted(box, LAST, scores(4, 0, 16), first=101)


async def watch(box: Box, looked_at: dict[str, Seen] | None = None) -> None:
    state = {} if looked_at is None else looked_at
    await look(box.db, box.clock, box.runtime.settings, "nps", state)


async def scopes(box: Box) -> list[tuple[str, str]]:
    return [(shift.scope_type, shift.scope_id) for shift in await box.published(KpiShift)]


async def test_a_unit_its_parents_the_organisation_and_the_cause_shift_and_no_person(box: Box) -> None:
    await fallen(box)

    await watch(box)

    assert sorted(await scopes(box)) == [
        ("cause", "quality"),
        ("cause", "window_replacement"),
        ("org_unit", "glass"),
        ("org_unit", "north"),
        ("organisation", "all"),
    ]


async def test_a_shift_says_what_moved_from_when_to_when_and_how_sure_it_is(box: Box) -> None:
    await fallen(box)

    await watch(box)

    (north,) = [one for one in await box.published(KpiShift) if one.scope_id == "north"]
    assert (north.before, north.value, north.n_before, north.n) == (80.0, -60.0, 20, 20)
    assert (north.before_from, north.window_from, north.window_to) == (
        date(2026, 1, 2),
        date(2026, 2, 1),
        date(2026, 3, 3),
    )
    # by hand: m' = 16/23 and −12/23, squared errors (21.5/23 − m'²)/23
    assert north.z == -5.53
    (listed,) = [one for one in await everything(box) if one["scope_id"] == "north"]
    assert (listed["value"], listed["value_before"], listed["z"]) == (-60.0, 80.0, -5.53)


async def everything(box: Box) -> list[dict[str, Any]]:
    answer = await box.http("works_council").get("/v1/shifts")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_looking_again_and_at_once_announces_nothing_twice(box: Box) -> None:
    await fallen(box)

    await asyncio.gather(*(watch(box) for _ in range(4)))
    await counted(box, LAST, scores(0, 0, 3), first=201)
    await watch(box)

    assert len(await scopes(box)) == 5


async def test_a_scope_that_has_shifted_rests_until_its_window_has_passed(box: Box) -> None:
    await fallen(box)
    await watch(box)

    box.clock.advance(timedelta(days=29))
    await counted(box, date(2026, 3, 25), scores(20, 0, 0), first=301)
    await watch(box)
    assert len(await scopes(box)) == 5

    box.clock.advance(timedelta(days=1))
    await watch(box)
    assert len(await scopes(box)) == 10


async def test_fewer_answers_than_may_be_shown_shift_nothing(box: Box) -> None:
    await box.deliver(directory())
    await counted(box, BEFORE, scores(20, 0, 0), first=1)
    await counted(box, LAST, scores(0, 0, 4), first=101)

    await watch(box)

    assert await scopes(box) == []


async def test_what_is_set_decides_and_is_looked_at_again_when_it_changes(box: Box) -> None:
    await fallen(box)
    await box.http("admin").put("/v1/kpi-settings/nps", json={"shift": {"z": 9}})
    looked_at: dict[str, Seen] = {}
    await watch(box, looked_at)
    assert await scopes(box) == []

    await box.http("admin").put("/v1/kpi-settings/nps", json={"shift": {"z": 5}})
    await watch(box, looked_at)
    assert len(await scopes(box)) == 5


async def test_a_threshold_that_chance_would_cross_every_day_is_refused(box: Box) -> None:
    answer = await box.http("admin").put("/v1/kpi-settings/nps", json={"shift": {"z": 1}})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/shift/z"]


async def test_a_consumer_that_lost_its_history_gets_every_shift_again(box: Box) -> None:
    await fallen(box)
    await watch(box)
    first = await box.published(KpiShift)
    async with box.db.begin() as session:
        await sql(session, "DELETE FROM outbox")

    await republish(box.service, box.runtime)

    again = await box.published(KpiShift)
    assert sorted(again, key=lambda one: one.shift_id) == sorted(first, key=lambda one: one.shift_id)
