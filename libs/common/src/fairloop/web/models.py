"""Shapes of requests and answers."""

from typing import Annotated, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Slug = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$", description="An id that the caller chooses.")
]

T = TypeVar("T")


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a typing error is never silently dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True)


class ProblemOut(Answer):
    """`pointer` is a JSON pointer."""

    pointer: str
    detail: str


class Listing(Answer, Generic[T]):
    """One page of a list; `next` is the cursor of the next page, null on the last."""

    items: list[T]
    next: str | None = None


Instant = AwareDatetime
"""An RFC 3339 time with its offset."""
