"""The shape of a simulation in answers."""

from typing import Literal

from bonus.domain.lint import Code
from fairloop.web import Answer

FEWEST = 5
"""People whose sum may be shown to readers who must not see anybody's pay."""


class PersonOut(Answer):
    employee: str
    org_unit: str | None
    payout_minor: int
    before_minor: int
    difference_minor: int


class UnitImpactOut(Answer):
    """The people who worked most of their days there."""

    org_unit: str | None
    people: int
    total_minor: int
    before_minor: int
    difference_minor: int


class ChanceOut(Answer):
    """How the outcome varies over draws of the frozen responses, by week or (in short periods) one by one."""

    blocks: Literal["week", "response"]
    number_of_blocks: int
    replicates: int
    cost_p5_minor: int
    cost_p50_minor: int
    cost_p95_minor: int
    noise_share: float | None
    split_half_rank_correlation: float | None


class ReplayOut(Answer):
    """One period. `before_minor` was approved; `missing` says why nothing could be computed."""

    period: str
    currency: str
    total_minor: int
    before_minor: int
    unspent_minor: int
    people: list[PersonOut]
    units: list[UnitImpactOut]
    chance: ChanceOut | None
    missing: str | None
    notes: list[str]


class SaidOut(Answer):
    code: Code
    severity: str
    pointer: str
    message: str


class CandidateOut(Answer):
    id: str
    scheme: str
    mode: str
    reliability_mode: str
    total_minor: int
    before_minor: int
    difference_minor: int
    findings: list[SaidOut]
    periods: list[ReplayOut]


def for_readers_of_aggregates(candidate: CandidateOut) -> CandidateOut:
    """Without anybody's pay: no people, no unit so small that its sum, or what the others leave of the total, tells."""
    periods = [
        one.model_copy(update={"people": [], "units": _large_enough(one.units)}) for one in candidate.periods
    ]
    return candidate.model_copy(update={"periods": periods})


def _large_enough(units: list[UnitImpactOut]) -> list[UnitImpactOut]:
    by_size = sorted(units, key=lambda unit: unit.people)
    hidden = 0
    while by_size and (by_size[0].people < FEWEST or 0 < hidden < FEWEST):
        hidden += by_size.pop(0).people
    return sorted(by_size, key=lambda unit: unit.org_unit or "")
