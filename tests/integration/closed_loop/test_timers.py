"""Deadlines under fire: two loops, a racing acknowledgement, a clock that goes back, a worker that dies."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.integration.closed_loop.world import answer, cases, do, only_case, timer_states

from closed_loop.service.cases import lock_case
from closed_loop.timers import fire, fire_due, timers
from fairloop.events import ClosedLoopCase
from fairloop.testing import Box

HOUR = timedelta(hours=1)


class WorkerKilledError(Exception):
    """Stands for the end of the process."""


def clock_states(event: ClosedLoopCase) -> dict[str, str]:
    return {clock.kind: clock.state for clock in event.clocks}


async def overdue(box: Box) -> UUID:
    """A case whose time to acknowledge is up."""
    await box.deliver([answer()])
    box.clock.advance(4 * HOUR)
    return UUID((await only_case(box))["id"])


async def test_a_breach_is_flagged_escalated_and_told_once(staffed: Box) -> None:
    await overdue(staffed)
    await fire_due(staffed.db, staffed.clock)
    case = await only_case(staffed)
    assert (case["breached"], case["escalated"], case["escalated_to"]) == (True, True, "boss")
    assert [note["kind"] for note in case["notifications"]] == ["assigned", "breach", "escalation"]
    assert [
        item["id"] for item in (await staffed.http("admin").get("/v1/cases?breached=true")).json()["items"]
    ] == [case["id"]]
    assert await fire_due(staffed.db, staffed.clock) == 0


async def test_a_warning_comes_before_the_deadline(staffed: Box) -> None:
    await staffed.deliver([answer()])
    staffed.clock.advance(3 * HOUR)
    assert await fire_due(staffed.db, staffed.clock) == 1
    case = await only_case(staffed)
    assert case["breached"] is False
    assert case["notifications"][-1] == {
        "at": "2026-03-02T12:00:00Z",
        "recipient": "bea",
        "kind": "warning",
        "clock": "acknowledge",
    }


@pytest.mark.fault(19)
async def test_two_loops_at_once_fire_a_timer_once(staffed: Box) -> None:
    await overdue(staffed)
    await asyncio.gather(*(fire_due(staffed.db, staffed.clock) for _ in range(8)))
    events = await staffed.published(ClosedLoopCase)
    assert [clock_states(event)["acknowledge"] for event in events] == ["running", "breached"]
    assert await timer_states(staffed, "acknowledge") == ["fired"]


async def test_nothing_fires_before_its_time(staffed: Box) -> None:
    await staffed.deliver([answer()])
    staffed.clock.advance(3 * HOUR - timedelta(seconds=1))
    assert await fire_due(staffed.db, staffed.clock) == 0


async def test_an_acknowledgement_in_time_disarms_the_timer(staffed: Box) -> None:
    await staffed.deliver([answer()])
    await do(staffed, await only_case(staffed), "acknowledge")
    staffed.clock.advance(4 * HOUR)
    await fire_due(staffed.db, staffed.clock)
    assert (await only_case(staffed))["breached"] is False
    assert await timer_states(staffed, "acknowledge") == ["disarmed"]


@pytest.mark.fault(19)
async def test_when_an_acknowledgement_races_the_timer_there_is_one_breach(staffed: Box) -> None:
    await staffed.deliver([answer(number) for number in range(10)])
    staffed.clock.advance(4 * HOUR)
    client = staffed.http("admin")
    ids = [case["id"] for case in await cases(staffed)]
    acknowledging = [client.post(f"/v1/cases/{id}/acknowledge") for id in ids]
    await asyncio.gather(
        fire_due(staffed.db, staffed.clock), *acknowledging, fire_due(staffed.db, staffed.clock)
    )
    for id in ids:
        case = (await client.get(f"/v1/cases/{id}")).json()
        assert (case["status"], case["breached"]) == ("acknowledged", True)
        assert [one["kind"] for one in case["history"]].count("breached") == 1
        assert [one["kind"] for one in case["notifications"]].count("escalation") == 1
        told = [event for event in await staffed.published(ClosedLoopCase) if str(event.case_id) == id]
        assert [event.version for event in told] == list(range(1, len(told) + 1))
        assert clock_states(told[-1])["acknowledge"] == "breached"
    assert set(await timer_states(staffed, "acknowledge")) <= {"fired", "disarmed"}


async def test_a_timer_whose_case_is_in_hand_waits_and_then_sees_what_was_done(staffed: Box) -> None:
    case_id = await overdue(staffed)
    staffed.clock.advance(-2 * HOUR)
    async with staffed.db.begin() as session:
        assert await lock_case(session, case_id) is not None
        async with staffed.db.begin() as other:
            assert await fire(other, case_id, lambda: staffed.clock() + 2 * HOUR) == 0
    await do(staffed, await only_case(staffed), "acknowledge")
    staffed.clock.advance(2 * HOUR)
    async with staffed.db.begin() as session:
        assert await fire(session, case_id, staffed.clock) == 0
    assert (await only_case(staffed))["breached"] is False


@pytest.mark.fault(19)
async def test_a_clock_that_goes_back_an_hour_fires_nothing_twice_and_nothing_early(staffed: Box) -> None:
    await overdue(staffed)
    await fire_due(staffed.db, staffed.clock)
    staffed.clock.advance(-HOUR)
    assert await fire_due(staffed.db, staffed.clock) == 0
    case = await do(staffed, await only_case(staffed), "acknowledge")
    staffed.clock.advance(HOUR)
    assert await fire_due(staffed.db, staffed.clock) == 0
    history = (await only_case(staffed))["history"]
    assert [one["at"] for one in history] == sorted(one["at"] for one in history)
    assert {clock["kind"]: clock["due_at"] for clock in case["clocks"]}["contact"] == "2026-03-02T17:00:00Z"


async def test_a_worker_killed_while_firing_fires_it_once_after_all(staffed: Box) -> None:
    case_id = await overdue(staffed)

    async def fire_and_die() -> None:
        async with staffed.db.begin() as session:
            assert await fire(session, case_id, staffed.clock) == 2
            raise WorkerKilledError

    with pytest.raises(WorkerKilledError):
        await fire_and_die()
    assert (await only_case(staffed))["breached"] is False
    assert await timer_states(staffed, "acknowledge") == ["armed"]
    await fire_due(staffed.db, staffed.clock)
    assert [clock_states(event)["acknowledge"] for event in await staffed.published(ClosedLoopCase)] == [
        "running",
        "breached",
    ]


@pytest.mark.fault(19)
async def test_a_deadline_across_the_spring_change_is_right(staffed: Box) -> None:
    admin = staffed.http("admin")
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    always = {"timezone": "Europe/Berlin", "weekly": {day: [["00:00", "24:00"]] for day in days}}
    assert (await admin.put("/v1/calendars/always", json=always)).status_code == 200
    policy = {"calendar": "always", "target_minutes": {"acknowledge": 480}}
    assert (await admin.put("/v1/sla-policies/default", json=policy)).status_code == 200
    staffed.clock.now = datetime(2025, 3, 29, 21, tzinfo=UTC)  # 22:00 in Berlin
    await staffed.deliver([answer()])
    (clock,) = (await only_case(staffed))["clocks"]
    assert clock["due_at"] == "2025-03-30T05:00:00Z"  # 07:00 in Berlin
    staffed.clock.now = datetime(2025, 3, 30, 4, 59, 59, tzinfo=UTC)
    await fire_due(staffed.db, staffed.clock)
    assert (await only_case(staffed))["breached"] is False
    staffed.clock.now = datetime(2025, 3, 30, 5, tzinfo=UTC)
    await fire_due(staffed.db, staffed.clock)
    assert (await only_case(staffed))["breached"] is True


async def test_pausing_stops_the_timers_and_resuming_arms_new_ones(staffed: Box) -> None:
    await staffed.deliver([answer()])
    case = await do(staffed, await only_case(staffed), "pause", reason="waiting")
    staffed.clock.advance(timedelta(days=7))
    assert await fire_due(staffed.db, staffed.clock) == 0
    case = await do(staffed, case, "resume")
    assert case["clocks"][0]["due_at"] == "2026-03-09T13:00:00Z"
    assert await timer_states(staffed, "acknowledge") == ["disarmed", "armed"]


async def test_the_loop_fires_what_is_due_until_it_is_told_to_stop(staffed: Box) -> None:
    await overdue(staffed)
    loop = asyncio.create_task(timers(staffed.runtime))
    async with asyncio.timeout(10):
        while not (await only_case(staffed))["breached"]:
            continue
        staffed.runtime.stopping.set()
        await loop
