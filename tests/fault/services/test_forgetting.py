"""A customer asks to be forgotten: afterwards no database and no record of the log holds anything that was theirs."""

import pytest
from tests.fault.services.line import Line
from tests.integration.attribution.company import job, set_up
from tests.integration.survey_intake.platform import connect_own, own
from tests.integration.survey_intake.test_erasure import everything_in

from fairloop.db import Database, sql

pytestmark = pytest.mark.fault(20)

REFERENCE = "customer-of-the-test@example.org/4711"
WORDS = (
    REFERENCE,
    "Anna Visser",
    "anna@visser.example",
    "+31 6 1234 5678",
    "The car of Anna came back dirty.",
    "Anna says it was not my job.",
    "Called Anna, she is fine again.",
)


async def test_after_an_erasure_nothing_personal_is_found_in_any_database_or_in_the_log(line: Line) -> None:
    await set_up(line.boxes["attribution"])
    await connect_own(line.boxes["survey-intake"])
    customer = {"ref": REFERENCE, "name": WORDS[1], "email": WORDS[2], "phone": WORDS[3]}
    answers = [
        own("first", customer=customer, comment=WORDS[4]),
        own(
            "first", customer=customer, comment=WORDS[4], scores={"nps": 2}, updated_at="2026-03-01T09:00:00Z"
        ),
        own("second", customer=customer, scores={"nps": 9}),
        own("third", customer={"ref": "somebody else"}, comment="Kept, and sealed."),
    ]
    ids = [(await line.ask("survey-intake", "POST", "/v1/responses", one))["response_id"] for one in answers]
    await line.ask("attribution", "POST", "/v1/interactions", job("job-1", "m1", customer=REFERENCE))
    await line.settled()
    claim = {"response_id": ids[0], "employee": "m1", "kind": "not_my_cause", "reason": WORDS[5]}
    await line.ask("attribution", "POST", "/v1/disputes", claim)
    [case] = [
        one
        for one in (await line.ask("closed-loop", "GET", "/v1/cases"))["items"]
        if one["response_id"] == ids[0]
    ]
    await line.ask("closed-loop", "POST", f"/v1/cases/{case['id']}/note", {"text": WORDS[6]})
    await line.settled()
    assert {WORDS[5], WORDS[6]} <= set(await found(line)), "the search finds what is there"

    path = f"/v1/customers/{REFERENCE.replace('/', '%2F')}"
    erasure = await line.ask("survey-intake", "DELETE", path)
    await line.settled()

    assert erasure["responses"] == 2
    assert await found(line) == {}
    async with line.boxes["survey-intake"].db.begin() as session:
        sealed = await sql(session, "SELECT count(*) FROM revision WHERE raw IS NOT NULL")
    assert sealed[0][0] == 1, "the other customer's is still there"


async def found(line: Line) -> dict[str, str]:
    """Each personal text that is anywhere → where."""
    places: dict[str, Database] = {name: box.db for name, box in line.boxes.items()} | {
        "the log": line.log_db
    }
    texts = {place: await everything_in(db) for place, db in places.items()}
    return {word: place for word in WORDS for place, text in texts.items() if word in text}
