"""The shape of a plan in requests and answers; its rules are in `bonus.domain.plan_rules`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, PlainSerializer

from bonus.domain.money import decimal_text
from bonus.domain.plan import Fallback, Kpi, Plan, Scheme, View
from fairloop.web import Body, Slug

Exact = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6),
    PlainSerializer(decimal_text, return_type=str),
]
"""A decimal, sent as a string."""
Weight = Annotated[Exact, Field(ge=0, le=1)]
Minor = Annotated[int, Field(ge=0, le=10**13, description="Money in minor units.")]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class CurveBody(Body):
    threshold: Exact
    target: Exact
    excellence: Exact
    cap: Exact
    at_threshold: Exact = Decimal(0)


class ComponentBody(Body):
    id: Slug
    kpi: Kpi
    scope: Annotated[str, Field(description="self, own_unit, org_unit:<id> or organisation")]
    view: View
    weight: Weight
    fallback: Fallback | None = None
    curve: CurveBody


class MinResponsesBody(Body):
    kind: Literal["min_responses"]
    minimum: Annotated[int, Field(ge=1, le=10**6)]


class AcceptedBody(Body):
    kind: Literal["accepted"]
    effect: Literal["hold"] = "hold"


class EmployedBody(Body):
    kind: Literal["employed"]
    effect: Literal["prorate", "forfeit"] = "prorate"


class OrganisationKpiBody(Body):
    kind: Literal["organisation_kpi"]
    kpi: Kpi
    minimum: Exact
    view: View = "all"
    effect: Literal["zero", "scale"] = "zero"
    factor: Exact | None = None


class CoverageBody(Body):
    kind: Literal["coverage"]
    minimum: Exact


GateBody = Annotated[
    MinResponsesBody | AcceptedBody | EmployedBody | OrganisationKpiBody | CoverageBody,
    Field(discriminator="kind"),
]


class PayeeBody(Body):
    employee: Slug
    target_bonus_minor: Minor
    cap_minor: Minor | None = None
    start: Annotated[date | None, Field(alias="from")] = None
    end: Annotated[date | None, Field(alias="to")] = None
    weights: dict[str, Weight] = Field(default_factory=dict)


class OtherIncentiveBody(Body):
    metric: Name
    kind: Literal["efficiency", "customer"]
    weight: Weight


class PlanText(Body):
    """What is published and accepted."""

    name: Name
    mode: Literal["paid", "track_only"]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    scheme: Scheme
    flat_bonus_minor: Minor | None = None
    pool_minor: Minor | None = None
    components: Annotated[tuple[ComponentBody, ...], Field(min_length=1, max_length=50)]
    gates: Annotated[tuple[GateBody, ...], Field(max_length=50)] = ()
    reliability_mode: Literal["none", "A", "B"] = "none"
    role_weights: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    payees: Annotated[tuple[PayeeBody, ...], Field(max_length=50_000)]
    other_incentives: Annotated[tuple[OtherIncentiveBody, ...], Field(max_length=50)] = ()
    notice_days: Annotated[int, Field(ge=0, le=366)] = 30


class PlanIn(PlanText):
    """A draft."""

    payees: Annotated[tuple[PayeeBody, ...], Field(min_length=1, max_length=50_000)]

    def to_domain(self) -> Plan:
        return msgspec.convert(self.model_dump(mode="json", by_alias=True, exclude_none=True), Plan)


class PlanOut(PlanText):
    """A version of a plan. `text_hash` is what a payee accepts; `payees` are those the caller may see.

    Once published, it counts for periods that begin on `in_force_from` or later.
    """

    id: str
    version: int
    status: Literal["draft", "published"]
    text_hash: str
    payee_count: int
    warnings: tuple[str, ...] = ()
    published_on: date | None = None
    in_force_from: date | None = None


def text_of(plan: Plan) -> dict[str, Any]:
    """The plan's fields as JSON would carry them."""
    text: dict[str, Any] = msgspec.to_builtins(plan)
    return text
