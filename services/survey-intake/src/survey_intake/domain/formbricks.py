"""Formbricks: `{"event", "data": {"id", "surveyId", "createdAt", "updatedAt", "finished", "data": {question: answer}}}`.

The events created, updated and finished of one response share `data.id` and each carry all answers so far;
hidden fields are among the answers. The test of an address is `{"event": "testEndpoint"}`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from survey_intake.domain.coerce import (
    free_text,
    identifier,
    is_absent,
    label,
    language_tag,
    moment,
    slug,
    whole_number,
)
from survey_intake.domain.draft import (
    RATING_RANGE,
    SCORE_RANGES,
    Cause,
    Draft,
    Ignorable,
    NotUnderstood,
    Person,
    Personal,
    Problem,
    Reading,
)
from survey_intake.domain.findings import Findings, Json, present
from survey_intake.domain.mapping import Mapping

T = TypeVar("T")

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_EVENTS = ("responseCreated", "responseUpdated", "responseFinished")
_CONSENT = frozenset({"accepted", "yes", "true", "1"})


def read_formbricks(body: Json, mapping: Mapping, zone: ZoneInfo) -> Reading:
    """Lenient about single answers (respondents and survey editors make them), strict about identity and times."""
    event = body.get("event")
    if event == "testEndpoint":
        return Ignorable("ping")
    found = Findings()
    if event not in _EVENTS:
        found.error(("event",), f"must be one of {', '.join(_EVENTS)}")
    response = found.object_at(body, "data")
    if not isinstance(response.get("data"), dict):
        found.error(("data", "data"), "must be an object of answers")
        return NotUnderstood(tuple(found.errors))
    answers = _Answers(found, found.object_at(response, "data", ("data",)))
    when = partial(moment, zone=zone)
    created_at = found.required(response, "createdAt", when, _NEVER, ("data",))
    draft = Draft(
        survey_id=found.required(response, "surveyId", identifier, "", ("data",)),
        external_id=found.required(response, "id", identifier, "", ("data",)),
        submitted_at=created_at,
        updated_at=found.optional(response, "updatedAt", when, ("data",)) or created_at,
        scores=answers.scores(mapping),
        ratings=answers.ratings(mapping),
        causes=answers.causes(mapping),
        personal=Personal(comment=answers.text(mapping.comment), customer=answers.person(mapping)),
        interaction_ref=answers.read(mapping.interaction_ref, slug),
        segments=answers.segments(mapping),
        consent_quote=answers.consents(mapping),
        language=_language(found, response.get("language")),
        warnings=tuple(found.warnings),
    )
    if found.errors:
        return NotUnderstood(tuple(found.errors))
    unanswered = not draft.warnings and response.get("finished") is not True
    if not draft.says_something and not unanswered:
        nothing = Problem("/data/data", "holds no usable answer to a mapped question")
        return NotUnderstood((*draft.warnings, nothing))
    return draft


class _Answers:
    """The answers by question id, read by meaning. One that cannot be used is left out with a warning."""

    def __init__(self, found: Findings, answers: Json) -> None:
        self.found = found
        self.answers = answers

    def told(self, question: str | None) -> object:
        return None if question is None else self.answers.get(question)

    def read(self, question: str | None, read: Callable[[object], T]) -> T | None:
        if question is None or (value := self.answers.get(question)) is None:
            return None
        if isinstance(value, str):
            value = value.strip()
        if is_absent(value):
            return None
        try:
            return read(value)
        except ValueError as wrong:
            self.found.warn(("data", "data", question), str(wrong))
            return None

    def number(self, question: str | None, bounds: tuple[int, int]) -> int | None:
        value = self.read(question, whole_number)
        return value if value is None else self.found.within(("data", "data", question or ""), value, bounds)

    def text(self, question: str | None) -> str | None:
        return self.read(question, free_text)

    def scores(self, mapping: Mapping) -> dict[str, int]:
        questions = (("nps", mapping.nps), ("csat", mapping.csat), ("ces", mapping.ces))
        return present(
            [(kind, self.number(question, SCORE_RANGES[kind])) for kind, question in questions if question]
        )

    def ratings(self, mapping: Mapping) -> dict[str, int]:
        return present(
            [(name, self.number(question, RATING_RANGE)) for name, question in mapping.ratings.items()]
        )

    def segments(self, mapping: Mapping) -> dict[str, str]:
        return present([(name, self.read(question, label)) for name, question in mapping.segments.items()])

    def person(self, mapping: Mapping) -> Person | None:
        ref = self.read(mapping.customer_ref, identifier)
        name = self.text(mapping.customer_name)
        email = self.text(mapping.customer_email)
        phone = self.text(mapping.customer_phone)
        return Person(ref, name, email, phone) if ref or name or email or phone else None

    def consents(self, mapping: Mapping) -> bool:
        value = self.told(mapping.consent_quote)
        return value is not None and str(value).lower() in _CONSENT

    def causes(self, mapping: Mapping) -> tuple[Cause, ...]:
        """One level 1 with each level 2; with several level 1, level 2 belongs to the one in the same place."""
        first = self._chosen(mapping.cause1, mapping)
        second = self._chosen(mapping.cause2, mapping)
        if not second:
            return tuple([Cause(level1) for level1 in first])
        if len(first) == 1:
            return tuple(Cause(first[0], level2) for level2 in second)
        if len(first) == len(second):
            return tuple(Cause(level1, level2) for level1, level2 in zip(first, second, strict=True))
        self.found.warn(("data", "data", mapping.cause2 or ""), "cannot be told apart by first cause")
        return tuple(Cause(level1) for level1 in first)

    def _chosen(self, question: str | None, mapping: Mapping) -> list[str]:
        """The ids of the causes chosen. A free text ("Other: …") is no id and may be personal: it is left out."""
        value = self.told(question)
        if is_absent(value):
            return []
        chosen: dict[str, None] = {}
        for choice in value if isinstance(value, list) else [value]:
            try:
                chosen[slug(mapping.cause_values.get(str(choice).strip(), choice))] = None
            except ValueError as wrong:
                self.found.warn(("data", "data", question or ""), str(wrong))
        return list(chosen)


def _language(found: Findings, value: object) -> str | None:
    if is_absent(value) or value == "default":
        return None
    try:
        return language_tag(value)
    except ValueError as wrong:
        found.warn(("data", "language"), str(wrong))
        return None
