"""The shape of a plan in requests and answers; its rules are in `bonus.domain.plan_rules`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, PlainSerializer

from bonus.domain.lint import Code, Finding, Severity
from bonus.domain.money import decimal_text
from bonus.domain.plan import Fallback, Kpi, Plan, ReliabilityMode, Scheme, View
from bonus.domain.waiver import Waiver
from fairloop.web import Answer, Body, Slug

Exact = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6),
    PlainSerializer(decimal_text, return_type=str),
]
"""A decimal, sent as a string."""
Weight = Annotated[Exact, Field(ge=0, le=1)]
Minor = Annotated[int, Field(ge=0, le=10**13, description="Money in minor units.")]
SegmentName = Annotated[str, Field(pattern=r"^[^:\x00-\x1f]{1,128}$")]
SegmentValues = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,256}$")], ...], Field(min_length=1, max_length=100)
]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class CurveBody(Body):
    threshold: Exact
    target: Exact
    excellence: Exact
    cap: Exact
    at_threshold: Exact = Decimal(0)


class SegmentsBody(Body):
    """Which responses count, by name and values: with one of each of `require`, without any of `exclude`."""

    require: dict[SegmentName, SegmentValues] = Field(default_factory=dict)
    exclude: dict[SegmentName, SegmentValues] = Field(default_factory=dict)


class ComponentBody(Body):
    id: Slug
    kpi: Kpi
    scope: Annotated[str, Field(description="self, own_unit, org_unit:<id> or organisation")]
    view: View
    weight: Weight = Decimal(0)
    fallback: Fallback | None = None
    curve: CurveBody
    paid: Annotated[bool, Field(description="false: shown, and worth nothing; it then has no weight")] = True
    segments: SegmentsBody | None = None


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
    reliability_mode: ReliabilityMode = "none"
    role_weights: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    payees: Annotated[tuple[PayeeBody, ...], Field(max_length=50_000)]
    other_incentives: Annotated[tuple[OtherIncentiveBody, ...], Field(max_length=50)] = ()
    notice_days: Annotated[int, Field(ge=0, le=366)] = 30

    def to_domain(self) -> Plan:
        """What is left at its default is left out: the text, and so its hash, knows no other way to say it."""
        return msgspec.convert(self.model_dump(mode="json", by_alias=True, exclude_defaults=True), Plan)


class PlanIn(PlanText):
    """A draft."""

    payees: Annotated[tuple[PayeeBody, ...], Field(min_length=1, max_length=50_000)]


class CandidatePlan(PlanText):
    """A plan to be tried; without payees it is about those of each period's own plan."""

    payees: Annotated[tuple[PayeeBody, ...], Field(max_length=50_000)] = ()


class WaiverOut(Answer):
    by: str
    reason: str
    at: datetime


class FindingOut(Answer):
    """Something the metrics would make people do. "blocking" ones are mended or waived before publishing, and so are
    "warning" ones where publishing is strict."""

    code: Code
    severity: Severity
    pointer: str
    message: str
    waived: WaiverOut | None = None

    @classmethod
    def of(cls, finding: Finding, waiver: Waiver | None = None) -> "FindingOut":
        waived = None if waiver is None else WaiverOut.model_validate(waiver)
        return cls(waived=waived, **msgspec.structs.asdict(finding))


class PlanOut(PlanText):
    """A version of a plan. `text_hash` is what a payee accepts; `payees` are those the caller may see.

    Once published, it counts for periods that begin on `in_force_from` or later.
    `findings` of a draft are those that can be told without asking how many responses there are.
    """

    id: str
    version: int
    status: Literal["draft", "published"]
    text_hash: str
    payee_count: int
    findings: tuple[FindingOut, ...]
    published_on: date | None = None
    in_force_from: date | None = None


def text_of(plan: Plan) -> dict[str, Any]:
    """The plan's fields as JSON would carry them."""
    text: dict[str, Any] = msgspec.to_builtins(plan)
    return text
