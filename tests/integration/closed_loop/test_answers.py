"""What responses set off."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import select
from tests.integration.closed_loop.world import (
    DIRECTORY,
    NINE,
    PEOPLE,
    SUPPLY,
    UNITS,
    account,
    answer,
    cases,
    do,
    only_case,
    response_id,
)

from closed_loop.handlers import build_handlers
from closed_loop.service.cases import republish
from closed_loop.tables import CaseNoteRow, CaseRow
from fairloop.db import sql
from fairloop.dispatch import dispatch
from fairloop.events import Assignment, ClosedLoopCase, Employee
from fairloop.testing import Box


async def test_the_default_rule_opens_a_case_with_an_owner_and_due_times(staffed: Box) -> None:
    await staffed.deliver([answer(1, 6), answer(2, 7), answer(3, None)])
    case = await only_case(staffed)
    assert case["response_id"] == str(response_id(1))
    assert (case["status"], case["track"], case["alert_rule"]) == ("assigned", "detractor", "default")
    assert (case["owner"], case["owner_reason"]) == ("bea", "manager of m1, who took part")
    assert (case["org_unit"], case["oversight_owner"], case["version"]) == ("north", "boss", 1)
    assert case["required_documentation"] == ["root_cause", "promised", "outcome"]
    assert {
        clock["kind"]: (clock["state"], clock["due_at"], clock["warn_at"]) for clock in case["clocks"]
    } == {
        "acknowledge": ("running", "2026-03-02T13:00:00Z", "2026-03-02T12:00:00Z"),
        "contact": ("running", "2026-03-02T17:00:00Z", "2026-03-02T15:00:00Z"),
        "resolve": ("running", "2026-03-06T17:00:00Z", "2026-03-05T15:00:00Z"),
    }
    assert case["notifications"] == [
        {"at": "2026-03-02T09:00:00Z", "recipient": "bea", "kind": "assigned", "clock": None}
    ]


async def test_a_score_of_zero_is_a_score(staffed: Box) -> None:
    await staffed.deliver([answer(1, 0)])
    assert (await only_case(staffed))["scores"]["nps"] == 0


async def test_a_cause_another_department_owns_goes_to_that_department(staffed: Box) -> None:
    await staffed.deliver([answer(1, 3, entry=SUPPLY)])
    case = await only_case(staffed)
    assert (case["org_unit"], case["owner"]) == ("supply", "sam")


async def test_a_relationship_answer_goes_to_the_account_owner(staffed: Box) -> None:
    await staffed.deliver([account("sam"), answer(1, 3, survey_type="relationship", matched=False)])
    case = await only_case(staffed)
    assert (case["owner"], case["owner_reason"]) == ("sam", "account owner of the customer")


async def test_delivering_the_same_again_changes_nothing(staffed: Box) -> None:
    await staffed.deliver([answer()])
    before = await only_case(staffed)
    await staffed.deliver([answer()])
    assert await only_case(staffed) == before
    assert len(await staffed.published(ClosedLoopCase)) == 1


async def test_an_edited_answer_updates_its_case_and_opens_no_second_one(staffed: Box) -> None:
    await staffed.deliver([answer(nps=3)])
    await staffed.deliver([answer(nps=5, version=2)])
    case = await only_case(staffed)
    assert (case["scores"]["nps"], case["version"], case["meets_rule"]) == (5, 2, True)
    assert [note["kind"] for note in case["notes"]] == ["revision"]


async def test_a_case_stays_open_with_a_note_when_the_answer_no_longer_meets_its_rule(staffed: Box) -> None:
    await staffed.deliver([answer(nps=3)])
    await staffed.deliver([answer(nps=9, version=2)])
    case = await only_case(staffed)
    assert (case["status"], case["meets_rule"]) == ("assigned", False)
    assert "no longer meets the rule default" in case["notes"][0]["text"]


async def test_an_answer_changed_and_changed_back_in_one_batch_has_its_case_all_the_same(
    staffed: Box,
) -> None:
    await staffed.deliver([answer(nps=3), answer(nps=9, version=2)])
    assert (await only_case(staffed))["meets_rule"] is False
    assert [event.version for event in await staffed.published(ClosedLoopCase)] == [1, 2]


async def test_versions_that_arrive_late_are_passed_over(staffed: Box) -> None:
    await staffed.deliver([answer(nps=9, version=2)])
    await staffed.deliver([answer(nps=3, version=1)])
    assert await cases(staffed) == []


async def test_a_worse_answer_later_opens_the_case_then(staffed: Box) -> None:
    await staffed.deliver([answer(nps=9)])
    await staffed.deliver([answer(nps=2, version=2)])
    assert (await only_case(staffed))["scores"]["nps"] == 2


async def test_erasure_closes_the_case_and_leaves_no_text_behind(staffed: Box) -> None:
    await staffed.deliver([answer()])
    case = await only_case(staffed)
    await do(staffed, case, "acknowledge")
    await do(staffed, case, "contact", method="phone to Ms Secret", note="Ms Secret was angry")
    await do(staffed, case, "pause", reason="Ms Secret is away")
    await do(staffed, case, "resolve", root_cause="secret", promised="secret", outcome="secret")
    await staffed.deliver([answer(version=2, erased=True)])

    closed = await only_case(staffed)
    assert (closed["status"], closed["closed_reason"]) == ("closed", "response erased")
    assert closed["documentation"] == {}
    assert {note["text"] for note in closed["notes"]} == {""}
    async with staffed.db.begin() as session:
        notes = (await session.scalars(select(CaseNoteRow))).all()
        states = (await session.scalars(select(CaseRow.state))).all()
    assert "secret" not in str([(note.text, note.method) for note in notes]).lower()
    assert "secret" not in str(states).lower()
    last = (await staffed.published(ClosedLoopCase))[-1]
    assert (last.status, last.version) == ("closed", closed["version"])


async def test_an_answer_edited_and_erased_in_one_batch_leaves_no_text_behind(staffed: Box) -> None:
    await staffed.deliver([answer(nps=3)])
    await staffed.deliver([answer(nps=9, version=2), answer(version=3, erased=True)])
    (note,) = (await only_case(staffed))["notes"]
    assert (note["kind"], note["text"]) == ("revision", "")


async def test_nothing_can_be_done_to_an_erased_case(staffed: Box) -> None:
    await staffed.deliver([answer()])
    case = await only_case(staffed)
    await staffed.deliver([answer(version=2, erased=True)])
    for verb, body in (("note", {"text": "secret"}), ("reopen", None), ("acknowledge", None)):
        answered = await staffed.http("admin").post(f"/v1/cases/{case['id']}/{verb}", json=body)
        assert answered.status_code == 409


async def test_an_answer_erased_before_it_was_seen_never_opens_a_case(staffed: Box) -> None:
    await staffed.deliver([answer(version=2, erased=True)])
    await staffed.deliver([answer(version=1)])
    assert await cases(staffed) == []


async def test_directory_news_moves_a_case_nobody_has_acted_on(box: Box) -> None:
    await box.deliver([answer()])
    assert (await only_case(box))["owner"] == "org_unit:north"
    assert (await only_case(box))["status"] == "new"
    await box.deliver(DIRECTORY)
    case = await only_case(box)
    assert (case["status"], case["owner"]) == ("assigned", "bea")
    assert case["history"][-1]["data"]["reason"] == "manager of m1, who took part"


async def test_directory_events_in_any_order_lead_to_the_same_owner(box: Box) -> None:
    await box.deliver([answer()])
    for event in reversed(DIRECTORY):
        await box.deliver([event])
    assert (await only_case(box))["owner"] == "bea"


async def test_directory_news_waits_for_a_case_being_opened_and_then_moves_it(box: Box) -> None:
    handlers = build_handlers(box.runtime.settings, box.clock)
    async with box.db.begin() as session:
        await dispatch(session, handlers, [answer()])
        news = asyncio.create_task(box.deliver(DIRECTORY))
        while not (news.done() or await somebody_waits(box)):
            continue
    await news
    assert (await only_case(box))["owner"] == "bea"


async def somebody_waits(box: Box) -> bool:
    async with box.db.begin() as session:
        return bool(
            await sql(
                session,
                "SELECT 1 FROM pg_locks JOIN pg_database AS d ON d.oid = database"
                " WHERE d.datname = current_database() AND NOT granted",
            )
        )


async def test_directory_news_leaves_alone_what_somebody_has_acted_on(box: Box) -> None:
    await box.deliver([answer()])
    await do(box, await only_case(box), "acknowledge")
    await box.deliver(DIRECTORY)
    assert (await only_case(box))["owner"] == "org_unit:north"


async def test_an_owner_who_leaves_is_replaced(staffed: Box) -> None:
    await staffed.deliver([answer()])
    await staffed.deliver([Employee(version=2, employee="bea", manager="boss", active=False)])
    case = await only_case(staffed)
    assert (case["owner"], case["owner_reason"]) == ("m1", "first active employee of north")


async def test_older_directory_versions_are_passed_over(staffed: Box) -> None:
    await staffed.deliver([Employee(version=3, employee="bea", active=False), *PEOPLE, *UNITS])
    await staffed.deliver([answer()])
    assert (await only_case(staffed))["owner"] == "m1"


async def test_dispatch_spreads_the_cases_of_one_batch(staffed: Box) -> None:
    rule = {"when": [{"field": "nps", "op": "<=", "value": 6}], "route": "dispatch"}
    await staffed.http("admin").put("/v1/alert-rules/default", json=rule)
    await staffed.deliver([answer(number) for number in range(1, 5)])
    owners = sorted(case["owner"] for case in await cases(staffed))
    assert owners == ["bea", "bea", "m1", "m1"]


async def test_a_post_that_begins_after_the_case_does_not_move_it(staffed: Box) -> None:
    await staffed.deliver([answer(1, 3, entry=SUPPLY)])
    later = Assignment(
        version=1,
        assignment="x",
        employee="bea",
        role="any",
        org_unit="supply",
        valid_from=datetime(2026, 3, 3, tzinfo=UTC).date(),
    )
    await staffed.deliver([later])
    assert (await only_case(staffed))["owner"] == "sam"


async def test_republishing_tells_every_case_in_its_present_version(staffed: Box) -> None:
    await staffed.deliver([answer(1), answer(2)])
    (first, _) = await cases(staffed)
    await do(staffed, first, "acknowledge")
    async with staffed.db.begin() as session:
        told = [event async for event in republish(staffed.runtime, session)]
    newest = {event.case_id: event for event in await staffed.published(ClosedLoopCase)}
    assert {event.case_id: event for event in told} == newest
    assert {event.version for event in told} == {1, 2}
    assert told[0].opened_at == NINE
