"""Published by attribution: who could influence a response, and how much."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from fairloop.events.model import EventData
from fairloop.events.survey import ResponseFacts

SubjectType = Literal["employee", "org_unit", "organisation"]
AttributionStatus = Literal["pending", "matched", "unmatched", "relationship", "erased"]
Reason = Literal[
    "influenced",
    "not_influenceable",
    "not_a_participant",
    "unverified",
    "excluded_by_dispute",
    "no_cause_given",
]


class TookPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who took part in an interaction, in one role, as its source says.

    `verified` False: the source itself is not sure.
    """

    employee: str
    role: str
    verified: bool = True


class Interaction(EventData, frozen=True, kw_only=True, gc=False):
    """A job, call or visit as its source told it last. `customer` is the keyed hash of the customer's reference."""

    type: ClassVar[str] = "attribution.interaction.v1"
    topic: ClassVar[str] = "attribution.interaction.v1"

    interaction: str
    occurred_at: datetime
    customer: str
    org_unit: str
    touchpoint: str
    participants: tuple[TookPart, ...] = ()
    attributes: dict[str, str | bool | int | float | None] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.interaction


class InteractionFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The matched interaction (job, call, visit)."""

    id: str
    occurred_at: datetime
    org_unit: str
    touchpoint: str


class Participant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who took part. `org_unit` is that of the assignment with this role when it happened.

    `excluded`: an upheld "not my customer"; the response counts in none of this person's views.
    """

    employee: str
    role: str
    org_unit: str | None = None
    verified: bool = True
    excluded: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger. `share` is in millionths; the entries of a response sum to exactly 1,000,000.

    `subject_id` of the organisation is "all". `org_unit` is the unit an employee's share counts under.
    """

    subject_type: SubjectType
    subject_id: str
    share: int
    reason: Reason
    role: str | None = None
    cause: str | None = None
    org_unit: str | None = None
    evidence: str | None = None


class AttributionResult(EventData, frozen=True, kw_only=True, gc=False):
    """The ledger of one response, with the response's non-personal part, so that one topic feeds all that count.

    `response_version` is the version of the survey response it was computed from. When `status` is "erased"
    (erased or deleted) there are no entries and the response is retracted everywhere; `deleted` tells which.
    """

    type: ClassVar[str] = "attribution.result.v1"
    topic: ClassVar[str] = "attribution.result.v1"

    response_id: UUID
    response_version: int
    status: AttributionStatus
    response: ResponseFacts
    deleted: bool = False
    customer: str | None = None
    interaction: InteractionFacts | None = None
    verified: bool = False
    matrix_version: date | None = None  # valid_from of the influence matrix in force
    rule_version: str = ""
    participants: tuple[Participant, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def key(self) -> str:
        return str(self.response_id)
