"""Who was asked: by employee, unit and organisation, whatever the order in which it becomes known."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, directory, result, retracted
from tests.integration.kpi_aggregator.test_snapshots import freeze, read
from tests.integration.statements import statements

from fairloop.events import ContactTrouble, EventData, Interaction, InteractionFacts, Invitation, TookPart
from fairloop.testing import Box

AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


def happened(
    id: str, *employees: str, unit: str = "north", unsure: str = "", version: int = 1
) -> Interaction:
    return Interaction(
        version=version,
        interaction=id,
        occurred_at=AT,
        customer="a" * 32,
        org_unit=unit,
        touchpoint="replacement",
        participants=tuple(
            TookPart(employee=employee, role="mechanic", verified=employee != unsure)
            for employee in employees
        ),
    )


def invited(
    id: str, *, sent: bool = True, version: int = 1, again: str = "", at: datetime = AT, **more: Any
) -> Invitation:
    return Invitation(
        version=version,
        invitation=f"inv-{id}{again}",
        interaction=id,
        customer="a" * 32,
        channel="email",
        eligible_at=at,
        sent_at=at if sent else None,
        **more,
    )


def answer_to(id: str, number: int) -> EventData:
    told = result(answered(number, 9))
    assert told.interaction is not None
    facts = InteractionFacts(id=id, occurred_at=AT, org_unit="north", touchpoint="replacement")
    return replace(told, interaction=facts)


async def asked(box: Box, scope: str) -> dict[str, Any]:
    answer = await box.http("analyst").get(f"/v1/coverage/{scope}?period=2026Q1")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def counts(body: dict[str, Any]) -> tuple[int, ...]:
    return tuple(body[name] for name in ("interactions", "eligible", "sent", "bounced", "edited"))


EDITED = ContactTrouble(kind="edited", at=AT)
BOUNCED = ContactTrouble(kind="bounced", at=AT)


async def test_each_interaction_counts_once_for_everybody_who_verifiably_took_part(box: Box) -> None:
    await box.deliver(directory())
    await box.deliver(
        [happened("a", "m1", "m2"), happened("b", "m1", "s1", unsure="s1"), happened("c", "m1")]
    )
    await box.deliver([happened("d", "s1", unit="planning"), happened("e", "m2", unit="planning")])
    await box.deliver([invited("a", sent=False), invited("a", again="-reminder", troubles=(BOUNCED, EDITED))])
    await box.deliver([invited("b", sent=False), invited("d"), invited("e"), invited("not-known-yet")])

    assert counts(await asked(box, "employee/m1")) == (3, 2, 1, 1, 1)
    assert counts(await asked(box, "employee/m2")) == (2, 2, 2, 1, 1)
    assert counts(await asked(box, "employee/s1")) == (1, 1, 1, 0, 0)
    assert counts(await asked(box, "org_unit/north")) == (4, 3, 2, 1, 1)  # "e" by m2, who works there
    assert counts(await asked(box, "org_unit/glass")) == (5, 4, 3, 1, 1)
    assert counts(await asked(box, "organisation/all")) == (5, 5, 4, 1, 1)
    m1 = await asked(box, "employee/m1")
    assert (m1["coverage"], m1["ci95"]) == (0.5, [0.0945, 0.9055])


async def test_newer_versions_replace_and_older_ones_and_repeats_change_nothing(box: Box) -> None:
    await box.deliver(directory())
    events = [
        happened("a", "m2"),
        happened("a", "m1", version=2),
        invited("a", sent=False),
        invited("a", version=2),
        invited("b"),
        invited("b", version=2, sent=False, erased=True),
    ]
    for event in reversed(events):
        await box.deliver([event])
    await box.deliver(events)
    await box.deliver(events[::-1])
    assert counts(await asked(box, "employee/m1")) == (1, 1, 1, 0, 0)
    assert counts(await asked(box, "employee/m2")) == (0, 0, 0, 0, 0)
    assert counts(await asked(box, "organisation/all")) == (1, 1, 1, 0, 0)


async def test_answers_count_for_those_who_were_asked_and_few_are_not_told(box: Box) -> None:
    await box.deliver(directory())
    jobs = [f"job-{n}" for n in range(1, 9)]
    await box.deliver([happened(job, "m1") for job in jobs])
    await box.deliver([invited(job, sent=job != "job-8") for job in jobs])
    answers = [answer_to(job, number) for number, job in enumerate(jobs, start=1)]
    await box.deliver(answers[3:])
    few = await asked(box, "employee/m1")
    assert (few["sent"], few["answered"], few["answer_rate"], few["suppressed"]) == (7, None, None, True)
    await box.deliver(answers)
    shown = await asked(box, "employee/m1")
    assert (shown["answered"], shown["answer_rate"], shown["suppressed"]) == (7, 1.0, False)
    await box.deliver([retracted(result(answered(1, 9)), version=2)])
    assert (await asked(box, "employee/m1"))["answered"] == 6


@pytest.mark.parametrize("size", [1, 400])
async def test_a_batch_of_any_size_costs_one_statement(box: Box, size: int) -> None:
    async with statements(box.db) as jobs:
        await box.deliver([happened(f"j{n}", "m1") for n in range(size)])
    async with statements(box.db) as sent:
        await box.deliver([invited(f"j{n}") for n in range(size)])
    assert (len(jobs), len(sent)) == (1, 1)


async def test_a_frozen_set_has_each_employees_coverage_in_its_hash_and_keeps_it(box: Box) -> None:
    await box.deliver(directory())
    without = await freeze(box)
    await box.deliver(
        [happened("a", "m1"), happened("b", "m1", "m2"), invited("a"), invited("b", sent=False)]
    )
    head = await freeze(box)
    await box.deliver([invited("b", version=2)])

    assert head["content_hash"] != without["content_hash"]
    assert (await read(box, head))["coverage"] == {
        "m1": {"eligible": 2, "sent": 1},
        "m2": {"eligible": 1, "sent": 0},
    }
    assert (await read(box, without))["coverage"] == {}


async def test_people_see_their_own_coverage_and_managers_their_peoples(box: Box) -> None:
    await box.deliver(directory())
    await box.deliver([happened("a", "m1"), invited("a")])
    mechanic = box.http("employee", employee_id="m1", org_units=["north"])
    assert (await mechanic.get("/v1/coverage/employee/m1")).status_code == 200
    assert (await mechanic.get("/v1/coverage/employee/m2")).status_code == 404
    assert (await mechanic.get("/v1/coverage/org_unit/north")).status_code == 200
    assert (await mechanic.get("/v1/coverage/organisation/all")).status_code == 200
    council = box.http("works_council")
    assert (await council.get("/v1/coverage/org_unit/north")).status_code == 200
    assert (await council.get("/v1/coverage/employee/m1")).status_code == 403
    manager = box.http("manager", employee_id="boss", org_units=["north"])
    listed = (await manager.get("/v1/coverage/employee?org_unit=north&period=2026Q1")).json()["items"]
    assert [(one["scope_id"], one["sent"]) for one in listed] == [("m1", 1), ("m2", 0)]
    assert date.fromisoformat(listed[0]["window"]["to"]) == date(2026, 4, 1)
