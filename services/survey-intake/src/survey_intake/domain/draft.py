"""What a platform said, in our own words, before our clock or our database had a say in it."""

import hmac
from datetime import datetime
from typing import Literal

import msgspec

SCORE_RANGES: dict[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
RATING_RANGE = (0, 100)


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be used. `pointer` is a JSON pointer into the body; `detail` never quotes the answer."""

    pointer: str
    detail: str


class Cause(msgspec.Struct, frozen=True):
    """One chosen cause; level 2 is None when only the first question was answered."""

    level1: str
    level2: str | None = None


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who answered. All of it is personal data."""

    ref: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class Personal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a response that is stored encrypted and never leaves this service in an event."""

    comment: str | None = None
    customer: Person | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery understood. Times are aware UTC, as the platform gave them; scores hold only answered ones."""

    survey_id: str
    external_id: str
    submitted_at: datetime
    updated_at: datetime
    scores: dict[str, int] = {}
    ratings: dict[str, int] = {}
    causes: tuple[Cause, ...] = ()
    personal: Personal = Personal()
    interaction_ref: str | None = None
    segments: dict[str, str] = {}
    consent_quote: bool = False
    language: str | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def customer_ref(self) -> str | None:
        return self.personal.customer.ref if self.personal.customer else None

    @property
    def says_something(self) -> bool:
        """Whether any question that we know a meaning for was answered."""
        return bool(self.scores or self.ratings or self.causes or self.personal.comment)


class NotUnderstood(msgspec.Struct, frozen=True):
    """An authentic delivery that cannot be used as it is."""

    errors: tuple[Problem, ...]


class Ignorable(msgspec.Struct, frozen=True):
    """An authentic delivery that is no response, such as a platform's test of the address."""

    reason: Literal["ping"]


Reading = Draft | NotUnderstood | Ignorable


def content_hash(draft: Draft, key: bytes) -> bytes:
    """Keyed hash (HMAC-SHA256, 32 bytes) of what was answered; equal for a repeated delivery.

    `updated_at` and the warnings are left out: they say when and how well, not what. The key keeps short
    answers and names from being guessed from the hash.
    """
    content = (
        draft.survey_id,
        draft.external_id,
        draft.submitted_at,
        draft.scores,
        draft.ratings,
        draft.causes,
        draft.personal,
        draft.interaction_ref,
        draft.segments,
        draft.consent_quote,
        draft.language,
    )
    return hmac.digest(key, msgspec.json.encode(content, order="sorted"), "sha256")
