"""The shape of a statement in answers. Scores are numbers; weights, multiples and parts are decimals as strings."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator

from bonus.domain.lifecycle import RunStatus
from fairloop.web import Answer


class SourceOut(Answer):
    scope_type: str
    scope_id: str
    part: str
    value: float | None
    n: int | None
    f: str


class ComponentOut(Answer):
    id: str
    kpi: str
    scope: str
    view: str
    value: float | None
    ci95: tuple[float, float] | None
    n: int | None
    f: str
    attainment: str | None
    weight: str
    payout_minor: int
    sources: list[SourceOut]
    paid: Annotated[bool, BeforeValidator(lambda paid: paid is not False)] = True


class GateOut(Answer):
    kind: str
    passed: bool
    message: str


class StepOut(Answer):
    factor: str
    amount_minor: int


class ChangeOut(Answer):
    cause: str | None
    detractors_to_passives: int
    value: float
    payout_minor: int | None


class CounterfactualOut(Answer):
    component: str
    value: float
    anchor: str
    at: str
    changes: list[ChangeOut]


class ExcludedOut(Answer):
    response_id: str
    reason: str


class ExplainedOut(Answer):
    """What a run computed for one payee."""

    employee: str
    mode: str
    scheme: str
    currency: str
    target_bonus_minor: int
    payout_minor: int
    held_minor: int
    days: int
    period_days: int
    components: list[ComponentOut]
    gates: list[GateOut]
    waterfall: list[StepOut]
    counterfactual: CounterfactualOut | None
    counted: int
    excluded: list[ExcludedOut]
    inputs_hash: str
    rule_version: str


class StatementOut(ExplainedOut):
    """A statement and the run it belongs to."""

    period: str
    run: UUID
    status: RunStatus
