"""Bodies as they came and settled quarantine go by their settings; the responses stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.survey_intake.platform import connect, deliver, formbricks

from fairloop.db import sql
from fairloop.retention import forget
from fairloop.testing import Box
from survey_intake.main import RAW, SETTLED


async def scalar(box: Box, statement: str) -> Any:
    async with box.db.begin() as session:
        return (await sql(session, statement))[0][0]


async def test_bodies_go_after_the_days_of_the_setting_and_nothing_else_does(box: Box) -> None:
    await connect(box)
    first = (await deliver(box, formbricks())).json()
    await deliver(box, formbricks("r2", answers={"h_customer": "cust-2"}))
    shown = await box.http("admin").get(f"/v1/responses/{first['response_id']}")
    now = datetime.now(UTC)
    days = timedelta(days=box.runtime.settings.keep_raw_days)

    assert await forget(box.db, RAW, box.runtime.settings, now + days - timedelta(hours=1)) == 0
    kept = box.runtime.settings.model_copy(update={"keep_raw_days": 0})
    assert await forget(box.db, RAW, kept, now + 10 * days) == 0
    assert await scalar(box, "SELECT count(raw) FROM revision") == 2
    assert await forget(box.db, RAW, box.runtime.settings, now + days + timedelta(hours=1)) == 2

    assert await scalar(box, "SELECT count(raw) FROM revision") == 0
    assert await scalar(box, "SELECT count(personal) FROM revision") == 2
    after = await box.http("admin").get(f"/v1/responses/{first['response_id']}")
    assert after.json() == shown.json()
    assert (await deliver(box, formbricks())).json()["outcome"] == "duplicate"


async def test_revisions_are_kept_by_the_month_their_response_came_in(box: Box) -> None:
    await connect(box)
    await deliver(box, formbricks())
    await deliver(box, formbricks(updatedAt="2026-03-01T09:00:00Z", answers={"q_nps": 8}))
    month = await scalar(box, "SELECT max(tableoid::regclass::text) FROM revision")
    assert month == f"revision_{datetime.now(UTC):%Y_%m}"
    assert await scalar(box, f"SELECT count(*) FROM {month}") == 2


async def test_settled_quarantine_goes_and_what_is_open_waits(box: Box) -> None:
    await connect(box)
    for number in range(2):
        await deliver(box, b'{"unclear": %d}' % number)
    items = (await box.http("ops").get("/v1/quarantine")).json()["items"]
    done = await box.http("ops").post(f"/v1/quarantine/{items[0]['id']}/discard")
    assert done.status_code == 200, done.text
    much_later = box.clock.now + timedelta(days=1000)
    assert await forget(box.db, SETTLED, box.runtime.settings, box.clock.now + timedelta(days=89)) == 0
    assert await forget(box.db, SETTLED, box.runtime.settings, much_later) == 1
    assert await scalar(box, "SELECT array_agg(status) FROM quarantine") == ["open"]
