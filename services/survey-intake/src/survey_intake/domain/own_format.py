"""Fairloop's own format: one object a response, the same over the API and a webhook."""

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from survey_intake.domain.coerce import free_text, identifier, label, language_tag, moment, slug, whole_number
from survey_intake.domain.draft import (
    RATING_RANGE,
    SCORE_RANGES,
    Cause,
    Draft,
    NotUnderstood,
    Person,
    Personal,
    Problem,
)
from survey_intake.domain.findings import Findings, Json, Place, present

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_CAUSES = 20


def read_own(body: Json, zone: ZoneInfo) -> Draft | NotUnderstood:
    """Strict about types, because the format is ours; a score outside its scale is left out with a warning."""
    found = Findings()
    when = partial(moment, zone=zone)
    submitted_at = found.required(body, "submitted_at", when, _NEVER)
    draft = Draft(
        survey_id=found.required(body, "survey_id", identifier, ""),
        external_id=found.required(body, "response_id", identifier, ""),
        submitted_at=submitted_at,
        updated_at=found.optional(body, "updated_at", when) or submitted_at,
        scores=_scores(found, body),
        ratings=_ratings(found, body),
        causes=_causes(found, body.get("causes")),
        personal=Personal(
            comment=found.optional(body, "comment", free_text), customer=_customer(found, body)
        ),
        interaction_ref=found.optional(body, "interaction_ref", slug),
        segments=found.entries(body, "segments", label),
        consent_quote=_consent(found, body),
        language=found.optional(body, "language", language_tag),
        warnings=tuple(found.warnings),
    )
    if found.errors:
        return NotUnderstood(tuple(found.errors))
    if not draft.says_something:
        return NotUnderstood(draft.warnings or (Problem("/scores", "nothing was answered"),))
    return draft


def _scores(found: Findings, body: Json) -> dict[str, int]:
    if "scores" not in body:
        found.error(("scores",), "is required")
    told = found.object_at(body, "scores")
    return present(
        (kind, _number(found, ("scores", kind), told.get(kind), bounds))
        for kind, bounds in SCORE_RANGES.items()
    )


def _ratings(found: Findings, body: Json) -> dict[str, int]:
    told = found.entries(body, "ratings", whole_number)
    return present(
        (name, found.within(("ratings", name), value, RATING_RANGE)) for name, value in told.items()
    )


def _number(found: Findings, where: Place, told: object, bounds: tuple[int, int]) -> int | None:
    value = found.strict(where, told, whole_number)
    return value if value is None else found.within(where, value, bounds)


def _causes(found: Findings, value: object) -> tuple[Cause, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MAX_CAUSES:
        found.error(("causes",), f"must be a list of at most {_MAX_CAUSES} causes")
        return ()
    causes: dict[Cause, None] = {}
    for index, entry in enumerate(value):
        base = ("causes", index)
        if not isinstance(entry, dict):
            found.error(base, "must be an object")
            continue
        level1 = found.required(entry, "level1", slug, "", base)
        causes[Cause(level1, found.optional(entry, "level2", slug, base))] = None
    return tuple(causes)


def _customer(found: Findings, body: Json) -> Person | None:
    told = found.object_at(body, "customer")
    if not told:
        return None
    return Person(
        ref=found.required(told, "ref", identifier, "", ("customer",)),
        name=found.optional(told, "name", free_text, ("customer",)),
        email=found.optional(told, "email", free_text, ("customer",)),
        phone=found.optional(told, "phone", free_text, ("customer",)),
    )


def _consent(found: Findings, body: Json) -> bool:
    quote = found.object_at(body, "consent").get("quote", False)
    if not isinstance(quote, bool):
        found.error(("consent", "quote"), "must be true or false")
        return False
    return quote
