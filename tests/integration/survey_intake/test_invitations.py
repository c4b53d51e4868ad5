"""Whom the survey was sent to: each invitation once, in its newest state, and nothing of who is forgotten."""

from typing import Any

import pytest
from tests.integration.survey_intake.platform import connect_own, own

from fairloop.events import ContactTrouble, Invitation
from fairloop.pseudonym import customer_key
from fairloop.testing import ENVIRONMENT, Box

ELIGIBLE = "2026-03-01T09:00:00Z"
SENT = "2026-03-01T10:00:00Z"


def invitation(id: str = "inv-1", **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "interaction": "job-1",
        "customer_ref": "cust-1",
        "channel": "email",
        "eligible_at": ELIGIBLE,
    } | changes


async def invite(box: Box, body: dict[str, Any]) -> dict[str, Any]:
    answer = await box.http("service").post("/v1/invitations", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_an_invitation_is_told_once_for_every_state_it_had(box: Box) -> None:
    bounced = [{"kind": "bounced", "at": "2026-03-01T11:00:02+01:00"}]
    bodies = [invitation(), invitation(), invitation(sent_at=SENT), invitation(sent_at=SENT, events=bounced)]
    outcomes = [(await invite(box, body))["outcome"] for body in bodies]
    assert outcomes == ["accepted", "duplicate", "corrected", "corrected"]

    told = await box.published(Invitation)
    assert [(one.version, one.sent_at is not None, len(one.troubles)) for one in told] == [
        (1, False, 0),
        (2, True, 0),
        (3, True, 1),
    ]
    newest = told[-1]
    assert newest.customer == customer_key(ENVIRONMENT["pseudonym_key"], "cust-1")
    assert isinstance(newest.troubles[0], ContactTrouble)
    shown = (await box.http("analyst").get("/v1/invitations/inv-1")).json()
    assert shown["events"] == [{"kind": "bounced", "at": "2026-03-01T10:00:02Z"}]
    assert "cust-1" not in str(shown)


async def test_a_bad_item_of_a_batch_is_named_and_does_not_stop_the_others(box: Box) -> None:
    early = invitation("inv-2", sent_at="2026-03-01T08:59:59Z")
    told = await invite(box, {"invitations": [invitation(), early, invitation(events=[{"kind": "lost"}])]})
    assert [one["outcome"] for one in told["outcomes"]] == ["accepted", "rejected", "rejected"]
    assert [error["pointer"] for error in told["outcomes"][1]["errors"]] == ["/body/invitations/1/sent_at"]
    assert "eligible_at" in told["outcomes"][1]["errors"][0]["detail"]
    assert [error["pointer"] for error in told["outcomes"][2]["errors"]] == [
        "/body/invitations/2/events/0/kind",
        "/body/invitations/2/events/0/at",
    ]
    listed = (await box.http("analyst").get("/v1/invitations?interaction=job-1")).json()["items"]
    assert [one["id"] for one in listed] == ["inv-1"]


async def test_a_batch_of_many_is_kept_and_told_at_once(box: Box) -> None:
    many = [invitation(f"inv-{n}", customer_ref=f"c{n % 7}", interaction=f"job-{n}") for n in range(300)]
    told = await invite(box, {"invitations": [*many, many[0]]})
    assert [one["outcome"] for one in told["outcomes"]] == ["accepted"] * 300 + ["duplicate"]
    assert len(await box.published(Invitation)) == 300


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (invitation(sent_at="2026-03-01T08:00:00Z"), "/body/sent_at"),
        (invitation(eligible_at="2026-03-01T08:00:00"), "/body/eligible_at"),
        (invitation(customer_ref=""), "/body/customer_ref"),
        (invitation(name="Anna"), "/body/name"),
        ({"invitations": 3}, "/body/invitations"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_field(
    box: Box, body: dict[str, Any], pointer: str
) -> None:
    answer = await box.http("service").post("/v1/invitations", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await box.published(Invitation) == []


async def test_nothing_of_a_forgotten_customer_is_kept_or_taken_again(box: Box) -> None:
    await connect_own(box)
    await box.http("service").post("/v1/responses", json=own())
    await invite(box, invitation(sent_at=SENT))
    await invite(box, invitation("inv-2", customer_ref="somebody-else"))

    receipt = (await box.http("ops").delete("/v1/customers/cust-1")).json()
    assert (receipt["responses"], receipt["invitations"]) == (1, 1)
    erased = (await box.published(Invitation))[-1]
    assert (erased.invitation, erased.version, erased.erased) == ("inv-1", 2, True)
    assert (erased.customer, erased.channel, erased.sent_at, erased.troubles) == (None, None, None, ())
    assert (await invite(box, invitation("inv-3")))["outcome"] == "ignored"
    assert (await invite(box, invitation(customer_ref="somebody-else")))["outcome"] == "ignored"
    assert (await box.http("ops").delete("/v1/customers/cust-1")).json()["invitations"] == 0


async def test_a_wrong_invitation_is_taken_back_once(box: Box) -> None:
    await invite(box, invitation(sent_at=SENT))
    for _ in range(2):
        deleted = (await box.http("admin").delete("/v1/invitations/inv-1")).json()
        assert (deleted["status"], deleted["version"]) == ("deleted", 2)
    assert [one.deleted for one in await box.published(Invitation)] == [False, True]
    assert (await invite(box, invitation()))["outcome"] == "ignored"
    assert (await box.http("admin").delete("/v1/invitations/inv-9")).status_code == 404
