"""Database down, overload, and connections that change under way."""

import asyncio
import json

import pytest
from tests.integration.survey_intake.platform import (
    OTHER_SECRET,
    connect,
    connect_own,
    deliver,
    formbricks,
    own,
)

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.events import SurveyResponse
from fairloop.testing import Box, running
from survey_intake.main import service
from survey_intake.service.posting import address


@pytest.mark.fault(9)
async def test_without_its_database_the_intake_asks_to_try_again_and_heals_by_itself() -> None:
    with temporary_postgres() as postgres:
        async with running(service, postgres) as box:
            await connect(box)
            assert (await deliver(box, formbricks("before"))).status_code == 202

            postgres.stop("fast")
            down = [await deliver(box, formbricks("during")), await box.http().head("/v1/webhooks/glass")]
            posted = await box.http("service").post("/v1/responses", json=own())
            ready = await box.http().get("/readyz")
            postgres.start()
            after = await deliver(box, formbricks("during"))

            assert [answer.status_code for answer in [*down, posted, ready]] == [503] * 4
            assert all(int(answer.headers["retry-after"]) > 0 for answer in [*down, posted])
            assert after.json()["outcome"] == "accepted"


async def test_a_full_queue_is_answered_with_try_again(postgres: PostgresServer) -> None:
    async with running(service, postgres, env={"queue_bytes": 5_000}) as box:
        await connect(box)

        answers = await asyncio.gather(*(deliver(box, formbricks(f"r{n}")) for n in range(20)))

        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        assert all("retry-after" in answer.headers for answer in refused)
        accepted = len(answers) - len(refused)
        assert len(await box.published(SurveyResponse)) == accepted > 0


async def test_a_change_of_the_connection_in_another_process_counts_at_once(box: Box) -> None:
    await connect(box)
    resource = service.resource
    assert resource is not None
    async with resource(box.runtime) as other:
        await connect_own(box)
        posted = address(json.dumps(own()).encode(), "")
        first = await other.post(posted)
        await connect_own(box, timezone="Asia/Tokyo")
        local = address(json.dumps(own("r2", submitted_at="2026-03-01T08:00:00")).encode(), "")
        second = await other.post(local)

    assert (first.outcome, second.outcome) == ("accepted", "accepted")
    last = (await box.published(SurveyResponse))[-1]
    assert last.facts.submitted_at.isoformat() == "2026-02-28T23:00:00+00:00"


async def test_a_new_secret_works_at_once_although_the_old_one_was_in_use(box: Box) -> None:
    await connect(box)
    await deliver(box, formbricks("a"))

    await connect(box, secrets=[OTHER_SECRET])

    assert (await deliver(box, formbricks("b"), secret=OTHER_SECRET)).status_code == 202
