"""Every delivery at the door is counted once, by what became of it."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from tests.integration.survey_intake.platform import connect, connect_own, deliver, formbricks, own

from fairloop.embedded import PostgresServer
from fairloop.testing import Box, running
from survey_intake.api.webhooks import MAX_BODY
from survey_intake.main import service


def taken(outcome: str, connection: str = "glass") -> float:
    labels = {"connection": connection, "outcome": outcome}
    return REGISTRY.get_sample_value("fairloop_intake_deliveries_total", labels) or 0


def refused(reason: str) -> float:
    counted = REGISTRY.get_sample_value("fairloop_intake_refused_total", {"reason": reason})
    assert counted is not None, "a reason is on the page before it happened"
    return counted


async def test_what_was_taken_is_counted_by_outcome(box: Box) -> None:
    await connect(box)
    outcomes = ("accepted", "replayed", "revised", "quarantined", "ignored")
    before = {outcome: taken(outcome) for outcome in outcomes}
    batches = REGISTRY.get_sample_value("fairloop_intake_batch_deliveries_sum") or 0
    await deliver(box, formbricks())
    await deliver(box, formbricks())
    await deliver(box, formbricks())
    await deliver(box, formbricks(updatedAt="2026-03-01T09:00:00Z", answers={"q_nps": 8}))
    await deliver(box, b"[]")
    await deliver(box, {"webhookId": "h", "event": "testEndpoint"})
    assert {outcome: taken(outcome) - before[outcome] for outcome in outcomes} == {
        "accepted": 1,
        "replayed": 2,
        "revised": 1,
        "quarantined": 1,
        "ignored": 1,
    }
    assert REGISTRY.get_sample_value("fairloop_intake_batch_deliveries_sum") == batches + 5


async def test_what_was_refused_is_counted_by_reason(box: Box) -> None:
    await connect(box)
    reasons = ("signature", "too_large", "unavailable", "invalid", "overloaded")
    before = {reason: refused(reason) for reason in reasons}
    assert (await deliver(box, formbricks(), secret=None)).status_code == 401
    late = await deliver(box, formbricks(), at=box.clock.now - timedelta(minutes=6))
    assert late.status_code == 401
    assert (await deliver(box, b" " * (MAX_BODY + 1))).status_code == 413
    assert {reason: refused(reason) - before[reason] for reason in reasons} == {
        "signature": 2,
        "too_large": 1,
        "unavailable": 0,
        "invalid": 0,
        "overloaded": 0,
    }


async def test_a_full_queue_is_counted_as_overload(postgres: PostgresServer) -> None:
    async with running(service, postgres, env={"queue_bytes": 1000}) as small:
        await connect(small)
        before = refused("overloaded")
        assert (await deliver(small, formbricks())).status_code == 503
    assert refused("overloaded") == before + 1


async def test_a_stray_webhook_is_its_own_alarm_and_no_refusal(box: Box) -> None:
    strays = REGISTRY.get_sample_value("fairloop_intake_stray_webhooks_total") or 0
    before = refused("unavailable")
    assert (await deliver(box, formbricks(), connection="nowhere")).status_code == 503
    assert REGISTRY.get_sample_value("fairloop_intake_stray_webhooks_total") == strays + 1
    assert refused("unavailable") == before


@pytest.mark.parametrize("keyed", [False, True])
async def test_posted_responses_are_counted_like_deliveries(box: Box, *, keyed: bool) -> None:
    await connect_own(box)
    before = (taken("accepted", "own"), taken("replayed", "own"), refused("invalid"))
    headers = {"Idempotency-Key": "once"} if keyed else {}
    body = {"responses": [own(), own(), own("r2", submitted_at="never")]}
    answer = await box.http("service").post("/v1/responses", json=body, headers=headers)
    assert [item["outcome"] for item in answer.json()["outcomes"]] == ["accepted", "duplicate", "rejected"]
    after = (taken("accepted", "own"), taken("replayed", "own"), refused("invalid"))
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
