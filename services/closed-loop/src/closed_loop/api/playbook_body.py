"""The body and the answer of a playbook."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from closed_loop.domain.alerts import Track
from fairloop.web import Answer, Body, Slug

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class OutcomeIn(Body):
    """What may come of a case; `id` is what `resolve` takes as `result`."""

    id: Slug
    meaning: Line


class PlaybookIn(Body):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    steps: list[Line] = Field(default=[], max_length=30)
    outcomes: list[OutcomeIn] = Field(min_length=1, max_length=30)

    @field_validator("outcomes")
    @classmethod
    def _each_once(cls, outcomes: list[OutcomeIn]) -> list[OutcomeIn]:
        if len({one.id for one in outcomes}) < len(outcomes):
            raise ValueError("each outcome is named once")
        return outcomes


class PlaybookOut(PlaybookIn, Answer):
    track: Track
    version: int
