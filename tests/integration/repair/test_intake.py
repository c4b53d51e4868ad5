"""Answers that were acknowledged after the backup."""

from collections.abc import Mapping

from tests.integration.repair.dumps import dump, finish, newest, put_back, states, take, told
from tests.integration.survey_intake.platform import connect_own, own
from tests.integration.survey_intake.test_erasure import PERSONAL, everything_in
from tests.integration.survey_intake.test_invitations import invitation, invite

from fairloop.db import sql
from fairloop.events import Invitation, SurveyResponse
from fairloop.published import Published
from fairloop.testing import Box

LATER = {"updated_at": "2026-03-01T09:00:00Z"}


async def post(box: Box, external_id: str = "r1", **changes: object) -> dict[str, str]:
    answer = await box.http("service").post("/v1/responses", json=own(external_id, **changes))
    assert answer.status_code == 202, answer.text
    body: dict[str, str] = answer.json()
    return body


async def test_forgotten_answers_are_again_what_the_log_tells(intake: Box) -> None:
    await connect_own(intake)
    await post(intake, "known")
    await dump(intake)
    await post(intake, "known", scores={"nps": 9}, **LATER)
    await post(intake, "new")
    await post(intake, "new", scores={"nps": 7}, **LATER)
    wrong = await post(intake, "wrong")
    await intake.http("admin").delete(f"/v1/responses/{wrong['response_id']}")
    before = await states(intake)

    log = await put_back(intake)
    assert (await take(intake, log)).changed == 3
    assert await states(intake) == before == newest(log)
    assert (await take(intake, log)).changed == 0
    assert "comments and customers' names are lost" in (await finish(intake))[0]


async def test_a_recovered_answer_delivered_again_is_the_same_one_and_has_its_words_again(
    intake: Box,
) -> None:
    await connect_own(intake)
    await dump(intake)
    first = await post(intake)
    log = await put_back(intake)
    await connect_own(intake)
    await take(intake, log)

    again = await post(intake)
    assert (again["outcome"], again["response_id"]) == ("accepted", first["response_id"])
    seen = (await intake.http("admin").get(f"/v1/responses/{first['response_id']}")).json()
    assert seen["comment"] == "The car came back dirty."
    assert await finish(intake) == []


async def test_an_answer_is_known_again_from_a_log_that_was_lost_and_filled_by_republishing(
    intake: Box,
) -> None:
    await connect_own(intake)
    await dump(intake)
    first = await post(intake)
    assert intake.service.republish is not None
    async with intake.db.begin() as session:
        log = [
            Published(event, intake.clock.now)
            async for event in intake.service.republish(intake.runtime, session)
        ]
    await put_back(intake)
    await connect_own(intake)
    await take(intake, log)

    again = await post(intake)
    assert (again["outcome"], again["response_id"]) == ("accepted", first["response_id"])
    assert await finish(intake) == []


async def test_an_answer_delivered_again_before_the_repair_counts_once_in_its_newest_version(
    intake: Box,
) -> None:
    await connect_own(intake)
    await dump(intake)
    lost = await post(intake)
    await post(intake, scores={"nps": 9}, **LATER)
    log = await put_back(intake)
    await connect_own(intake)

    stale = await post(intake)
    await take(intake, log)
    held = await states(intake)
    assert stale["response_id"] != lost["response_id"]
    assert [(s.deleted, s.facts.scores.nps) for s in _both(held, lost, stale)] == [(True, None), (False, 9)]
    consumers_hold = newest([*log, *await told(intake)])
    assert consumers_hold == held
    assert (await take(intake, [*log, *await told(intake)])).changed == 0


def _both(held: Mapping[str, object], *answers: dict[str, str]) -> list[SurveyResponse]:
    found = [held[answer["response_id"]] for answer in answers]
    return [one for one in found if isinstance(one, SurveyResponse)]


async def test_an_answer_revised_since_the_restore_keeps_the_revision_above_the_logs_version(
    intake: Box,
) -> None:
    await connect_own(intake)
    await post(intake)
    await dump(intake)
    await post(intake, scores={"nps": 5}, updated_at="2026-03-01T09:00:00Z")
    await post(intake, scores={"nps": 6}, updated_at="2026-03-01T10:00:00Z")
    log = await put_back(intake)

    await post(intake, scores={"nps": 10}, updated_at="2026-03-01T11:00:00Z")
    await take(intake, log)
    (held,) = (await states(intake)).values()
    assert isinstance(held, SurveyResponse)
    assert (held.version, held.facts.scores.nps) == (4, 10)
    assert newest([*log, *await told(intake)]) == {held.key: held}


async def test_an_erasure_since_the_backup_is_done_again(intake: Box) -> None:
    await connect_own(intake)
    await post(intake, "before")
    await dump(intake)
    await post(intake, "since")
    await intake.http("ops").delete("/v1/customers/cust-1")
    log = await put_back(intake)
    assert "Anna" not in await everything_in(intake.db)  # sealed, and the key is there again
    await take(intake, log)

    everything = await everything_in(intake.db)
    assert not [word for word in PERSONAL if word in everything]
    async with intake.db.begin() as session:
        keys = await sql(session, "SELECT wrapped_key, erased_at IS NOT NULL FROM customer")
    assert [tuple(row) for row in keys] == [(None, True)]
    assert await states(intake) == newest(log)
    assert (await post(intake, "late"))["outcome"] == "ignored"


async def test_invitations_are_again_what_the_log_tells(intake: Box) -> None:
    await invite(intake, invitation("a"))
    await dump(intake)
    await invite(intake, invitation("a", sent_at="2026-03-01T10:00:00Z"))
    await invite(intake, invitation("b"))
    await intake.http("admin").delete("/v1/invitations/b")
    await intake.http("ops").delete("/v1/customers/cust-1")
    before = await states(intake)
    log = await put_back(intake)
    assert (await take(intake, log)).changed
    assert await states(intake) == before == newest(log)
    assert (await take(intake, log)).changed == 0
    assert (await invite(intake, invitation("late")))["outcome"] == "ignored"  # the customer stays forgotten


async def test_an_invitation_corrected_since_the_restore_stays_above_the_logs_version(intake: Box) -> None:
    await invite(intake, invitation("a"))
    await dump(intake)
    await invite(intake, invitation("a", channel="sms"))
    log = await put_back(intake)
    await invite(intake, invitation("a", channel="letter"))
    await take(intake, log)
    (held,) = (await states(intake)).values()
    assert isinstance(held, Invitation)
    assert (held.version, held.channel) == (3, "letter")
    assert newest([*log, *await told(intake)]) == {"a": held}
