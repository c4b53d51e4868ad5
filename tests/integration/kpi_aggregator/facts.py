"""Events as attribution publishes them, from contributions, and the questions tests ask."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.unit.kpi_aggregator.seven import PARENTS, contribution, person, took_part

from fairloop.events import (
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
from kpi_aggregator.domain.contribution import Contribution

AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


def result(one: Contribution, *, version: int | None = None) -> AttributionResult:
    """The event that brings this contribution."""
    interaction = None
    if one.interaction_unit is not None:
        interaction = InteractionFacts(
            id=f"job-{one.response_id}",
            occurred_at=AT,
            org_unit=one.interaction_unit,
            touchpoint=one.touchpoint or "replacement",
        )
    return AttributionResult(
        version=one.version if version is None else version,
        response_id=one.response_id,
        response_version=1,
        status="unmatched" if interaction is None else "matched",
        response=ResponseFacts(
            connection="web",
            survey_id="after-service",
            survey_type="transactional",
            day=one.day,
            submitted_at=AT,
            updated_at=AT,
            received_at=AT,
            scores=Scores(**one.scores),
            causes=convert(one.causes, tuple[Cause, ...], from_attributes=True),
            segments=one.segments,
        ),
        interaction=interaction,
        participants=convert(one.participants, tuple[Participant, ...], from_attributes=True),
        entries=convert(one.entries, tuple[Entry, ...], from_attributes=True),
    )


def retracted(event: AttributionResult, *, version: int, deleted: bool = False) -> AttributionResult:
    """The response is erased at the customer's wish, or deleted as a wrong one."""
    blank = replace(event.response, scores=Scores(), causes=(), segments={})
    return replace(
        event,
        version=version,
        status="erased",
        deleted=deleted,
        response=blank,
        entries=(),
        participants=(),
        interaction=None,
    )


def tree(parents: dict[str, str | None], version: int = 1) -> list[EventData]:
    return [OrgUnit(version=version, org_unit=unit, name=unit, parent=up) for unit, up in parents.items()]


def directory() -> list[EventData]:
    """The glass company: its units, m1 and m2 in north, s1 in planning."""
    works = {"m1": "north", "m2": "north", "s1": "planning"}
    return [
        *tree(PARENTS),
        *(Employee(version=1, employee=employee) for employee in works),
        *(
            Assignment(
                version=1,
                assignment=f"a-{employee}",
                employee=employee,
                role="mechanic",
                org_unit=unit,
                valid_from=date(2026, 1, 1),
            )
            for employee, unit in works.items()
        ),
    ]


def answered(number: int, nps: int, *, version: int = 1, employee: str = "m1") -> Contribution:
    """A verified participant alone, fully influencing the one cause."""
    return contribution(
        number,
        nps,
        version=version,
        causes=("quality",),
        entries=(person(employee, 1_000_000, "quality"),),
        participants=(took_part(employee),),
    )


def scores(promoters: int, passives: int, detractors: int) -> list[int]:
    return [10] * promoters + [8] * passives + [3] * detractors


async def figure(
    box: Box, scope: str, view: str = "influenced", *, days: str = "period=2026Q1", kpi: str = "nps"
) -> dict[str, Any]:
    """`scope` is "type/id"."""
    response = await box.http("analyst").get(f"/v1/kpis/{kpi}/{scope}?{days}&view={view}")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def proof(box: Box) -> dict[str, Any]:
    response = await box.http("ops").post("/v1/recompute")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def deliver_all(box: Box, contributions: Iterable[Contribution]) -> None:
    await box.deliver([result(one) for one in contributions])
