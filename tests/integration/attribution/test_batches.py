"""What comes of a response does not depend on what it was batched with."""

from tests.integration.attribution.company import job, post, response, set_up

from fairloop.events import AttributionResult, SurveyResponse
from fairloop.testing import Box


async def results(box: Box) -> list[tuple[int, int, int | None]]:
    """Version, version of the response and score of every result, in the order they are told."""
    return [
        (event.version, event.response_version, event.response.scores.nps)
        for event in await box.published(AttributionResult)
    ]


def thought_again() -> list[SurveyResponse]:
    """A detractor who became a promoter, and then a passive."""
    first = response("quality", ref="j1", nps=3)
    return [
        first,
        response("quality", ref="j1", nps=9, id=first.response_id, version=2),
        response("speed", ref="j2", nps=7, id=first.response_id, version=3),
    ]


async def test_every_version_has_its_result_also_when_one_batch_brings_them_all(box: Box) -> None:
    admin = await set_up(box)
    await post(admin, "/v1/interactions", {"interactions": [job("j1", "m1"), job("j2", "m2")]})
    await box.deliver(thought_again())
    together = await results(box)
    for event in thought_again():
        await box.deliver([event])
    assert (await results(box))[3:] == together == [(1, 1, 3), (2, 2, 9), (3, 3, 7)]


async def test_an_older_version_that_arrives_behind_a_newer_one_has_none(box: Box) -> None:
    await set_up(box)
    first, second, third = thought_again()
    await box.deliver([second, first, third, second])
    assert [version for _, version, _ in await results(box)] == [2, 3]


async def test_what_was_answered_before_an_erasure_in_one_batch_keeps_nothing(box: Box) -> None:
    await set_up(box)
    first = response("quality", nps=3)
    await box.deliver([first, response(id=first.response_id, version=2, erased=True)])
    assert await results(box) == [(1, 1, 3), (2, 2, None)]
    history = await box.http("admin").get(f"/v1/attributions/{first.response_id}?history=true")
    assert '"nps":3' not in history.text.replace(" ", "")
