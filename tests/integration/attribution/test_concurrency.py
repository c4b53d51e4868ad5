"""Two transactions at one moment: nothing lost, no version twice, whoever comes first."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from tests.integration.attribution.company import job, ledger, matrix, post, put, response, set_up, shares

from attribution.handlers import build_handlers
from attribution.service.attribute import Moment
from attribution.service.reattribution import step
from fairloop.db import sql
from fairloop.events import AttributionResult, SurveyResponse
from fairloop.testing import Box


async def _deliver(
    box: Box, events: Sequence[SurveyResponse], *, applied: asyncio.Event, commit: asyncio.Event
) -> None:
    """Apply events in a transaction that stays open until told to commit."""
    handler = build_handlers(box.runtime.settings, box.clock)[SurveyResponse]
    async with box.db.begin() as session:
        await handler(session, events)
        applied.set()
        await commit.wait()


async def _somebody_waits_for_a_lock(box: Box) -> None:
    waiting = 0
    while not waiting:
        async with box.db.begin() as session:
            rows = await sql(
                session,
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            waiting = rows[0][0]


async def _held_open(box: Box, event: SurveyResponse, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """Run `meanwhile` while the event's transaction is open; commit once it waits for that."""
    applied, commit = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_deliver(box, [event], applied=applied, commit=commit))
        await applied.wait()
        other = group.create_task(_as_coroutine(meanwhile))
        await _somebody_waits_for_a_lock(box)
        assert not other.done()
        commit.set()


async def _as_coroutine(action: Callable[[], Awaitable[object]]) -> None:
    await action()


async def test_an_interaction_posted_while_its_response_is_uncommitted_matches_it(box: Box) -> None:
    admin = await set_up(box)
    event = response("quality", ref="j1")
    await _held_open(box, event, lambda: post(admin, "/v1/interactions", job("j1", "m1")))
    found = await ledger(admin, event.response_id)
    assert (found["status"], found["version"], shares(found)) == ("matched", 2, {"m1": "1.000000"})


async def test_a_matrix_put_while_a_response_is_uncommitted_reaches_it(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1")
    changed = matrix("2026-01-01", quality="0.5")
    await _held_open(box, event, lambda: put(admin, "/v1/influence-matrices/windscreen", changed))
    assert shares(await ledger(admin, event.response_id)) == {"m1": "0.500000", "all": "0.500000"}


async def test_responses_and_their_interactions_at_once_all_end_matched(box: Box) -> None:
    admin = await set_up(box)
    events = [response("quality", ref=f"j{n}") for n in range(120)]

    async def deliver(part: Sequence[SurveyResponse]) -> None:
        for start in range(0, len(part), 10):
            await box.deliver(part[start : start + 10])

    async def post_jobs(numbers: Sequence[int]) -> None:
        for start in range(0, len(numbers), 10):
            jobs = [job(f"j{n}", "m1") for n in numbers[start : start + 10]]
            await post(admin, "/v1/interactions", {"interactions": jobs})

    async with asyncio.TaskGroup() as group:
        group.create_task(deliver(events[:60]))
        group.create_task(deliver(events[60:]))
        group.create_task(post_jobs(range(0, 120, 2)))
        group.create_task(post_jobs(range(119, 0, -2)))
    _check_versions(await box.published(AttributionResult))
    for event in events:
        found = await ledger(admin, event.response_id)
        assert (found["status"], shares(found)) == ("matched", {"m1": "1.000000"})


async def test_handlers_and_commands_never_make_one_version_twice(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", {"interactions": [job("j1", "m1"), job("j2", "m2")]})
    events = [response("quality", ref="j1") for _ in range(8)]
    await box.deliver(events)

    async def revise() -> None:
        for version in range(2, 8):
            cause = "quality" if version % 2 else "speed"
            await box.deliver([response(cause, ref="j1", id=e.response_id, version=version) for e in events])

    async def correct_interaction() -> None:
        for people in (("m1", "m2"), ("m2",), ("m1",)) * 2:
            await post(admin, "/v1/interactions", job("j1", *people))

    async def dispute(event: SurveyResponse) -> None:
        claim = {
            "response_id": str(event.response_id),
            "employee": "m1",
            "kind": "not_my_cause",
            "reason": "r",
        }
        filed = await admin.post("/v1/disputes", json=claim)
        if filed.status_code == 201:  # else m1 was not there at that moment
            body = {"uphold": True, "reason": "r"}
            assert (await admin.post(f"/v1/disputes/{filed.json()['id']}/decide", json=body)).is_success

    async def change_matrix() -> None:
        for quality in ("0.5", "0.7", "0.9", "1"):
            await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01", quality=quality))

    async with asyncio.TaskGroup() as group:
        for work in (revise(), correct_interaction(), change_matrix(), *(dispute(e) for e in events)):
            group.create_task(work)
    results = await box.published(AttributionResult)
    _check_versions(results)
    newest = {result.response_id: result for result in results}
    for event in events:
        held = await ledger(admin, event.response_id)
        assert held["version"] == newest[event.response_id].version
        assert newest[event.response_id].response_version == 7


async def test_two_workers_share_the_reattribution(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    await box.deliver([response("quality", ref="j1") for _ in range(1100)])
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01", quality="0.5"))

    async def work() -> None:
        busy = True
        while busy:
            async with box.db.begin() as session:
                busy = await step(session, at=Moment(box.clock(), box.runtime.settings.zone))

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        group.create_task(work())
    results = await box.published(AttributionResult)
    _check_versions(results)
    assert Counter(result.version for result in results) == {1: 1100, 2: 1100}


def _check_versions(results: Sequence[AttributionResult]) -> None:
    """Per response: 1, 2, 3, … in the order they were published."""
    last: dict[UUID, int] = {}
    for result in results:
        assert result.version == last.get(result.response_id, 0) + 1
        last[result.response_id] = result.version
