"""The seven responses R1 … R7 of a glass repair company's ledger, as contributions."""

from datetime import date
from uuid import UUID

from kpi_aggregator.domain.contribution import Contribution, Entry, NamedCause, Participant

DAY = date(2026, 2, 2)

PARENTS: dict[str, str | None] = {
    "glass": None,
    "north": "glass",
    "planning": "glass",
    "supply": "glass",
    "workshop": "glass",
}
"""north: both mechanics' branch; planning: the scheduler's; supply and workshop own causes."""


def person(
    employee: str, share: int, cause: str, *, unit: str = "north", reason: str = "influenced"
) -> Entry:
    role = "scheduler" if employee == "s1" else "mechanic"
    return Entry(
        subject_type="employee",
        subject_id=employee,
        role=role,
        cause=cause,
        org_unit=unit,
        share=share,
        reason=reason,
    )


def owner(unit: str, share: int, cause: str) -> Entry:
    return Entry(
        subject_type="org_unit", subject_id=unit, cause=cause, share=share, reason="not_influenceable"
    )


def organisation(share: int, cause: str | None = None, reason: str = "no_cause_given") -> Entry:
    return Entry(subject_type="organisation", subject_id="all", cause=cause, share=share, reason=reason)


def took_part(employee: str, *, verified: bool = True, excluded: bool = False) -> Participant:
    unit, role = ("planning", "scheduler") if employee == "s1" else ("north", "mechanic")
    return Participant(employee=employee, role=role, org_unit=unit, verified=verified, excluded=excluded)


def contribution(
    number: int,
    nps: int,
    *,
    causes: tuple[str, ...] = (),
    entries: tuple[Entry, ...] = (),
    participants: tuple[Participant, ...] = (),
    interaction_unit: str | None = "north",
    version: int = 1,
    day: date = DAY,
) -> Contribution:
    return Contribution(
        response_id=UUID(int=number),
        version=version,
        day=day,
        scores={"nps": nps},
        causes=tuple(NamedCause("window_replacement", cause) for cause in causes),
        entries=entries,
        participants=participants,
        interaction_unit=interaction_unit,
        touchpoint=None if interaction_unit is None else "replacement",
    )


M1, M2, S1 = took_part("m1"), took_part("m2"), took_part("s1")

SEVEN = (
    contribution(
        1,
        9,
        causes=("quality",),
        entries=(person("m1", 500_000, "quality"), person("m2", 500_000, "quality")),
        participants=(M1, M2),
    ),
    contribution(
        2,
        3,
        causes=("speed",),
        entries=(
            person("m1", 500_000, "speed"),
            person("s1", 250_000, "speed", unit="planning"),
            owner("workshop", 250_000, "speed"),
        ),
        participants=(M1, S1),
    ),
    contribution(
        3,
        0,
        causes=("quality", "right_window"),
        entries=(
            person("m1", 500_000, "quality"),
            person("m1", 0, "right_window", reason="not_influenceable"),
            owner("supply", 500_000, "right_window"),
        ),
        participants=(M1,),
    ),
    contribution(4, 10, entries=(organisation(1_000_000),), participants=(M1,)),
    contribution(
        5,
        6,
        causes=("quality",),
        entries=(
            person("m1", 500_000, "quality"),
            person("m2", 0, "quality", reason="unverified"),
            organisation(500_000, "quality", "unverified"),
        ),
        participants=(M1, took_part("m2", verified=False)),
    ),
    contribution(
        6, 8, causes=("quality",), entries=(person("m1", 1_000_000, "quality"),), participants=(M1,)
    ),
    contribution(7, 5, entries=(organisation(1_000_000),), interaction_unit=None),
)
