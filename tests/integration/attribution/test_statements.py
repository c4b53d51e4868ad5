"""A batch costs few statements, and as many for one response as for many."""

import pytest
from tests.integration.attribution.company import job, ledger, matrix, post, put, response, set_up, shares
from tests.integration.statements import statements

from attribution.handlers import build_handlers
from fairloop.db import sql
from fairloop.events import SurveyResponse
from fairloop.testing import Box

PER_BATCH = 4
"""Take locks and keep the newer, load, save, publish."""


def answers(
    count: int, *, version: int = 1, like: list[SurveyResponse] | None = None
) -> list[SurveyResponse]:
    """Responses about different jobs, or later revisions of some."""
    if like is not None:
        return [response("speed", ref=e.interaction_ref, id=e.response_id, version=version) for e in like]
    return [response("quality", ref=f"j{n}") for n in range(count)]


@pytest.mark.parametrize("size", [1, 400])
async def test_a_batch_of_any_size_costs_the_same_few_statements(box: Box, size: int) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", {"interactions": [job(f"j{n}", "m1", "s1") for n in range(400)]})
    await box.deliver(answers(1))  # the rules are in memory from here on
    fresh = answers(size)
    async with statements(box.db) as first:
        await box.deliver(fresh)
    async with statements(box.db) as revised:
        await box.deliver(answers(size, version=2, like=fresh))
    async with statements(box.db) as repeated:
        await box.deliver(fresh)
    assert (len(first), len(revised), len(repeated)) == (PER_BATCH, PER_BATCH, 1)
    assert shares(await ledger(admin, fresh[-1].response_id)) == {
        "m1": "0.500000",
        "s1": "0.250000",
        "planning": "0.250000",
    }


async def test_rules_kept_in_memory_are_those_of_the_database_whoever_changes_them(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    await box.deliver([response("quality", ref="j1")])
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01", quality="0.5"))
    by_api = response("quality", ref="j1")
    await box.deliver([by_api])
    assert shares(await ledger(admin, by_api.response_id)) == {"m1": "0.500000", "all": "0.500000"}
    async with box.db.begin() as session:  # as another process does, or an operator by hand
        await sql(
            session,
            "UPDATE influence_matrix SET cells ="
            ' \'[{"role": "mechanic", "cause": "quality", "influence": "0.25"}]\'',
        )
    by_hand = response("quality", ref="j1")
    async with statements(box.db) as sent:
        await box.deliver([by_hand])
    assert len(sent) == PER_BATCH + 1
    assert shares(await ledger(admin, by_hand.response_id)) == {"m1": "0.250000", "all": "0.750000"}


async def test_rules_of_a_change_that_was_rolled_back_are_forgotten(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    handler = build_handlers(box.runtime.settings, box.clock)[SurveyResponse]
    async with box.db.begin() as session:
        await sql(session, "DELETE FROM influence_matrix")
        await handler(session, [response("quality", ref="j1")])
        await session.rollback()
    after = response("quality", ref="j1")
    await box.deliver([after])
    assert shares(await ledger(admin, after.response_id)) == {"m1": "1.000000"}
