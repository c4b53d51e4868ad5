"""A bonus plan as its payees read and accept it. Field names are those of the API; decimals are exact."""

import hashlib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.segments import Segments

Kpi = Literal["nps", "csat", "ces"]
View = Literal["all", "influenced"]
Scheme = Literal["individual", "team", "everyone", "overachievement", "pool"]
ReliabilityMode = Literal["none", "A", "B"]
Fallback = Literal["own_unit", "organisation"]


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the plan. `scope`: "self", "own_unit", "org_unit:<id>" or "organisation".

    `fallback` takes the weight of a personal score that is missing, suppressed or thin (absent: the own unit).
    `paid` False: shown and discussed, and worth nothing. What was added to the first text of plans is unset where it
    is not used, so that texts accepted before keep their hash.
    """

    id: str
    kpi: Kpi
    scope: str
    view: View
    weight: Decimal = Decimal(0)
    curve: Curve
    fallback: Fallback | None = None
    paid: bool | msgspec.UnsetType = msgspec.UNSET
    segments: Segments | msgspec.UnsetType = msgspec.UNSET

    @property
    def personal(self) -> bool:
        return self.scope == "self"

    @property
    def tracked_only(self) -> bool:
        return self.paid is False

    @property
    def measure(self) -> str:
        """What its figures are found under: the KPI, and of which segments."""
        return self.kpi if self.segments is msgspec.UNSET else f"{self.kpi}|{self.segments.label}"


class MinResponses(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="min_responses"):
    """Fewer than `minimum` responses of one's own: the fallback's result instead of the personal one."""

    minimum: int


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="accepted"):
    """The payout is held until the payee has accepted the text of the plan."""

    effect: Literal["hold"] = "hold"


class Employed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="employed"):
    """Pay by the days employed within the period; "forfeit": nothing for who left before its end."""

    effect: Literal["prorate", "forfeit"] = "prorate"


class OrganisationKpi(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="organisation_kpi"):
    """The organisation's score below `minimum`: nothing is paid, or ("scale") only `factor` of it."""

    kpi: Kpi
    minimum: Decimal
    view: View = "all"
    effect: Literal["zero", "scale"] = "zero"
    factor: Decimal | None = None


class Coverage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="coverage"):
    """Fewer than `minimum` (0…1) of a person's customers invited to answer: the fallback's result instead."""

    minimum: Decimal


Gate = MinResponses | Accepted | Employed | OrganisationKpi | Coverage


class Payee(msgspec.Struct, gc=False, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """Who is paid. `target_bonus_minor` is for the whole period; [from, to) narrows the days that count."""

    employee: str
    target_bonus_minor: int
    cap_minor: int | None = None
    start: date | None = None
    end: date | None = None
    weights: dict[str, Decimal] = {}


class OtherIncentive(msgspec.Struct, frozen=True, kw_only=True):
    """What else these people are paid for, outside this plan."""

    metric: str
    kind: Literal["efficiency", "customer"]
    weight: Decimal


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The rules and the payees.

    `role_weights`: "role" or "role/level" → component → weight, for payees without weights of their own.
    """

    name: str
    mode: Literal["paid", "track_only"]
    currency: str
    scheme: Scheme
    components: tuple[Component, ...]
    payees: tuple[Payee, ...] = ()
    gates: tuple[Gate, ...] = ()
    reliability_mode: ReliabilityMode = "none"
    flat_bonus_minor: int | None = None
    pool_minor: int | None = None
    role_weights: dict[str, dict[str, Decimal]] = {}
    other_incentives: tuple[OtherIncentive, ...] = ()
    notice_days: int = 30

    @property
    def kpis(self) -> list[str]:
        """Every KPI that a calculation needs a snapshot of, sorted."""
        gated = {gate.kpi for gate in self.gates if isinstance(gate, OrganisationKpi)}
        return sorted({component.kpi for component in self.components} | gated)

    @property
    def asks_for_coverage(self) -> bool:
        return any(isinstance(gate, Coverage) for gate in self.gates)

    def payee(self, employee: str) -> Payee | None:
        return next((payee for payee in self.payees if payee.employee == employee), None)

    def only(self, payee: Payee) -> "Plan":
        """The same rules for one payee alone."""
        return msgspec.structs.replace(self, payees=(payee,))

    def without_payees(self) -> "Plan":
        """The same rules for nobody yet."""
        return msgspec.structs.replace(self, payees=())

    @property
    def by_level(self) -> bool:
        """Whether seniority decides about weights."""
        return any("/" in role for role in self.role_weights)

    def weights(self, payee: Payee, role: str | None) -> dict[str, Fraction]:
        """Component → weight, summing to 1: the payee's own, else of role and level, of the role, of the plan."""
        special = payee.weights or self.role_weights_of(role or "")
        if special:
            return {c.id: Fraction(special.get(c.id, Decimal(0))) for c in self.components}
        return {c.id: Fraction(c.weight) for c in self.components}

    def role_weights_of(self, role: str) -> dict[str, Decimal]:
        """Those of "role/level", else of the role alone; empty when the plan says nothing about it."""
        return self.role_weights.get(role) or self.role_weights.get(role.partition("/")[0], {})

    @property
    def text_hash(self) -> str:
        """SHA-256 of the canonical text: what is accepted and what a run was calculated with."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()
