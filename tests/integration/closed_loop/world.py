"""A glass repair company and what its customers answer, as events; and what tests ask of the service."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from closed_loop.tables import SlaTimerRow
from fairloop.events import (
    Account,
    Assignment,
    AttributionResult,
    Cause,
    Employee,
    Entry,
    EventData,
    InteractionFacts,
    OrgUnit,
    Participant,
    ResponseFacts,
    Scores,
)
from fairloop.testing import Box

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNITS = (
    OrgUnit(version=1, org_unit="glass", name="Glass"),
    OrgUnit(version=1, org_unit="north", name="North", parent="glass"),
    OrgUnit(version=1, org_unit="supply", name="Supply", parent="glass"),
)
PEOPLE = (
    Employee(version=1, employee="boss"),
    Employee(version=1, employee="bea", manager="boss"),
    Employee(version=1, employee="m1", manager="bea"),
    Employee(version=1, employee="sam", manager="boss"),
)
DIRECTORY: Sequence[EventData] = (
    *UNITS,
    *PEOPLE,
    *(
        Assignment(
            version=1,
            assignment=f"a-{who}",
            employee=who,
            role="any",
            org_unit=unit,
            valid_from=date(2026, 1, 1),
        )
        for who, unit in (("boss", "glass"), ("bea", "north"), ("m1", "north"), ("sam", "supply"))
    ),
)
SUPPLY = Entry(subject_type="org_unit", subject_id="supply", share=1_000_000, reason="not_influenceable")
M1 = Entry(subject_type="employee", subject_id="m1", share=1_000_000, reason="influenced")
NOBODY = Entry(subject_type="organisation", subject_id="all", share=1_000_000, reason="no_cause_given")


def response_id(number: int) -> UUID:
    return UUID(int=(0x0189_0000_0000_7000_8000 << 48) + number)


def answer(
    number: int = 1,
    nps: int | None = 3,
    *,
    version: int = 1,
    entry: Entry = M1,
    matched: bool = True,
    erased: bool = False,
    survey_type: Any = "transactional",
    customer: str | None = "c1",
) -> AttributionResult:
    """What m1 did at north, as the customer saw it."""
    return AttributionResult(
        version=version,
        response_id=response_id(number),
        response_version=version,
        status="erased" if erased else "matched" if matched else "pending",
        response=ResponseFacts(
            connection="c",
            survey_id="s",
            survey_type=survey_type,
            day=NINE.date(),
            submitted_at=NINE,
            updated_at=NINE,
            received_at=NINE,
            scores=Scores(nps=None if erased else nps),
            causes=() if erased else (Cause(level1="window_replacement", level2="quality"),),
        ),
        customer=customer,
        interaction=InteractionFacts(id="job", occurred_at=NINE, org_unit="north", touchpoint="repair")
        if matched
        else None,
        participants=(Participant(employee="m1", role="mechanic"),) if matched else (),
        entries=() if erased else (entry if matched else NOBODY,),
    )


def account(owner: str, *, customer: str = "c1", version: int = 1) -> Account:
    return Account(version=version, customer=customer, owner=owner)


async def cases(box: Box, **wanted: str) -> list[dict[str, Any]]:
    """The cases an administrator sees."""
    answered = await box.http("admin").get("/v1/cases", params=wanted)
    assert answered.status_code == 200, answered.text
    items: list[dict[str, Any]] = answered.json()["items"]
    return items


async def only_case(box: Box) -> dict[str, Any]:
    """The one case there is, in detail."""
    (item,) = await cases(box)
    detail: dict[str, Any] = (await box.http("admin").get(f"/v1/cases/{item['id']}")).json()
    return detail


async def do(box: Box, case: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
    """A command that must succeed, by an administrator."""
    answered = await box.http("admin").post(f"/v1/cases/{case['id']}/{verb}", json=body or None)
    assert answered.status_code == 200, answered.text
    after: dict[str, Any] = answered.json()
    return after


async def timer_states(box: Box, kind: str) -> list[str]:
    """The states of a kind of timer, by cycle."""
    async with box.db.begin() as session:
        statement = select(SlaTimerRow.state).where(SlaTimerRow.kind == kind).order_by(SlaTimerRow.cycle)
        return list(await session.scalars(statement))
