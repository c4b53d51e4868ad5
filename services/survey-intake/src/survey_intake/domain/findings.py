"""Collects what is wrong while a body is read, so that one answer names every problem with its place."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from survey_intake.domain.coerce import is_absent, slug
from survey_intake.domain.draft import Problem

T = TypeVar("T")
Json = Mapping[str, object]
Place = tuple[str | int, ...]
"""The steps to a value in a body; made a JSON pointer only when something is wrong there."""


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


class Findings:
    """`errors` make a delivery unusable; `warnings` are about single answers that were left out."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def error(self, where: Place, detail: str) -> None:
        self.errors.append(Problem(pointer(*where), detail))

    def warn(self, where: Place, detail: str) -> None:
        self.warnings.append(Problem(pointer(*where), detail))

    def required(
        self, body: Json, name: str, read: Callable[[object], T], otherwise: T, base: Place = ()
    ) -> T:
        """The value, or `otherwise` together with an error."""
        if is_absent(body.get(name)):
            self.error((*base, name), "is required")
            return otherwise
        return self.strict((*base, name), body[name], read) or otherwise

    def optional(self, body: Json, name: str, read: Callable[[object], T], base: Place = ()) -> T | None:
        return self.strict((*base, name), body.get(name), read)

    def strict(self, where: Place, value: object, read: Callable[[object], T]) -> T | None:
        """A value that makes the delivery unusable when it is of the wrong kind."""
        if is_absent(value):
            return None
        try:
            return read(value)
        except ValueError as wrong:
            self.error(where, str(wrong))
            return None

    def within(self, where: Place, value: int, bounds: tuple[int, int]) -> int | None:
        """Out of range is null with a warning, never rescaled: nobody knows which scale was meant."""
        low, high = bounds
        if not low <= value <= high:
            self.warn(where, f"is outside {low} to {high} and does not count")
            return None
        return value

    def object_at(self, body: Json, name: str, base: Place = ()) -> dict[str, object]:
        """The object of that name; empty when absent, and with an error when it is something else."""
        value = body.get(name)
        if value is None or isinstance(value, dict):
            return value or {}
        self.error((*base, name), "must be an object")
        return {}

    def entries(self, body: Json, name: str, read: Callable[[object], T]) -> dict[str, T]:
        """An object with slugs for names and values of one kind, absent ones left out."""
        raw = self.object_at(body, name)
        for key in raw:
            self.strict((name, key), key, slug)
        return present((key, self.strict((name, key), value, read)) for key, value in raw.items())


def present(told: Iterable[tuple[str, T | None]]) -> dict[str, T]:
    """Those that have a value, by name."""
    return {name: value for name, value in told if value is not None}
