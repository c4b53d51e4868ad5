"""What /metrics says about matching and disputes, there and back."""

from datetime import timedelta
from uuid import UUID

import httpx
from tests.integration.attribution.company import job, post, response, set_up
from tests.integration.runtime.gauges import value

from attribution.metrics import measure_matching
from fairloop.testing import Box


async def measured(box: Box) -> None:
    async with box.db.begin() as session:
        await measure_matching(session, box.runtime)


def standing(status: str) -> float | None:
    return value("fairloop_attribution_responses", status=status)


def disputes(state: str) -> float | None:
    return value("fairloop_disputes", state=state)


async def filed(admin: httpx.AsyncClient, response_id: UUID) -> str:
    """The id of a new dispute."""
    claim = {
        "response_id": str(response_id),
        "employee": "m1",
        "kind": "not_my_customer",
        "reason": "not there",
    }
    return str((await post(admin, "/v1/disputes", claim))["id"])


async def test_an_answer_without_its_interaction_is_shown_until_it_is_matched(box: Box) -> None:
    admin = await set_up(box)
    await box.deliver([response("quality", ref="j1", nps=2)])
    await measured(box)
    assert (standing("unmatched") or 0) + (standing("pending") or 0) == 1
    await post(admin, "/v1/interactions", job("j1", "m1"))
    await measured(box)
    assert (standing("unmatched"), standing("pending"), standing("matched")) == (0, 0, 1)


async def test_an_answer_of_long_ago_is_no_part_of_what_is_shown(box: Box) -> None:
    await set_up(box)
    await box.deliver([response("quality", ref="j1", nps=2)])
    box.clock.now += timedelta(days=10_000)
    await measured(box)
    assert [standing(status) for status in ("pending", "unmatched", "matched")] == [0, 0, 0]


async def test_an_open_dispute_is_shown_with_its_age_until_it_is_decided(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", job("j1", "m1"))
    event = response("quality", ref="j1", nps=2)
    await box.deliver([event])
    await measured(box)
    assert (disputes("open"), value("fairloop_dispute_oldest_age_seconds")) == (0, 0)

    dispute = await filed(admin, event.response_id)
    box.clock.advance(timedelta(days=40))
    await measured(box)
    assert disputes("open") == 1
    assert value("fairloop_dispute_oldest_age_seconds") == timedelta(days=40).total_seconds()

    await post(admin, f"/v1/disputes/{dispute}/decide", {"uphold": True, "reason": "checked"})
    await measured(box)
    assert (disputes("open"), value("fairloop_dispute_oldest_age_seconds")) == (0, 0)
    assert (disputes("upheld"), disputes("rejected")) == (1, 0)
