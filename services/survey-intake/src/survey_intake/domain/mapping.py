"""Which question of a native platform means what."""

import msgspec

from survey_intake.domain.coerce import SLUG
from survey_intake.domain.draft import Problem
from survey_intake.domain.findings import pointer

_SINGLE_ANSWERS = ("nps", "csat", "ces", "comment", "cause1", "cause2", "customer_ref", "interaction_ref")


class Mapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Question or hidden-field id by meaning. `cause_values` translates an answer's text to a cause's id."""

    nps: str | None = None
    csat: str | None = None
    ces: str | None = None
    comment: str | None = None
    cause1: str | None = None
    cause2: str | None = None
    customer_ref: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    interaction_ref: str | None = None
    consent_quote: str | None = None
    segments: dict[str, str] = {}
    ratings: dict[str, str] = {}
    cause_values: dict[str, str] = {}


def mapping_problems(platform: str, mapping: Mapping) -> list[Problem]:
    """What is wrong with a mapping for that platform; pointers are relative to the mapping."""
    if platform == "fairloop":
        return [] if mapping == Mapping() else [Problem("", "Fairloop's own format needs no mapping")]
    problems = []
    if mapping.cause2 and not mapping.cause1:
        problems.append(Problem("/cause2", "needs cause1 as well"))
    asked: dict[str, str] = {}
    for meaning in _SINGLE_ANSWERS:
        question = getattr(mapping, meaning)
        if question in asked:
            problems.append(Problem(pointer(meaning), f"is the same question as {asked[question]}"))
        elif question:
            asked[question] = meaning
    for group in ("segments", "ratings"):
        problems.extend(
            Problem(pointer(group, name), "the name must be 1 to 128 of A-Z a-z 0-9 . _ : -")
            for name in getattr(mapping, group)
            if not SLUG.fullmatch(name)
        )
    problems.extend(
        Problem(pointer("cause_values", answer), "must be the id of a cause")
        for answer, cause in mapping.cause_values.items()
        if not SLUG.fullmatch(cause)
    )
    return problems
