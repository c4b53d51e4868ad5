"""Published by survey-intake. No personal data: customers appear as a keyed hash only."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from fairloop.events.model import EventData

SurveyType = Literal["transactional", "relationship"]


class Scores(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Answers on the usual scales; None where the question was not answered. NPS is 0…10, CSAT 1…5, CES 1…7."""

    nps: int | None = None
    csat: int | None = None
    ces: int | None = None


class Cause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One chosen cause; level 2 is None when only the first question was answered."""

    level1: str
    level2: str | None = None


class ResponseFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The non-personal part of a response, the same wherever it travels.

    `day` is the local date (organisation's time zone) of the first revision's `submitted_at`: the day it counts on.
    """

    connection: str
    survey_id: str
    survey_type: SurveyType
    taxonomy: str | None = None
    day: date
    submitted_at: datetime
    updated_at: datetime
    received_at: datetime
    scores: Scores
    ratings: dict[str, int] = {}
    causes: tuple[Cause, ...] = ()
    segments: dict[str, str] = {}
    language: str | None = None
    has_comment: bool = False
    consent_quote: bool = False


class ContactTrouble(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What went wrong with where an invitation was sent: it bounced, or somebody edited the address or number."""

    kind: Literal["bounced", "edited"]
    at: datetime


class Invitation(EventData, frozen=True, kw_only=True, gc=False):
    """The customer of an interaction could be asked (`eligible_at`), and was asked if there is a `sent_at`.

    `customer` is the keyed hash of the reference. `erased` (the customer asked to be forgotten) and `deleted` (a
    wrong one) take it back; then neither customer nor channel nor troubles are told.
    """

    type: ClassVar[str] = "survey.invitation.v1"
    topic: ClassVar[str] = "survey.invitation.v1"

    invitation: str
    interaction: str
    customer: str | None = None
    channel: str | None = None
    eligible_at: datetime
    sent_at: datetime | None = None
    troubles: tuple[ContactTrouble, ...] = ()
    erased: bool = False
    deleted: bool = False

    @property
    def key(self) -> str:
        return self.invitation


class SurveyResponse(EventData, frozen=True, kw_only=True, gc=False):
    """A response in its newest revision.

    `erased` (the customer asked to be forgotten) and `deleted` (a wrong or test response) retract it everywhere;
    then `facts` holds only what is needed to find it: no scores, no causes, no segments.
    """

    type: ClassVar[str] = "survey.response.v1"
    topic: ClassVar[str] = "survey.response.v1"

    response_id: UUID
    facts: ResponseFacts
    customer: str | None = None  # keyed hash of the customer's reference
    interaction_ref: str | None = None
    link_signed: bool = False  # the survey link was signed, so the interaction reference was not edited
    erased: bool = False
    deleted: bool = False
    origin: str | None = None  # the platform's id, sealed: survey-intake finds the response again by it

    @property
    def key(self) -> str:
        return str(self.response_id)
