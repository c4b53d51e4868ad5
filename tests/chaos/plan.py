"""What the customers and the company will do: a pure function of the seed.

A story is one answer and everything that happens to it, step after step; stories run beside each other. So the state
a story ends in follows from its own steps, whatever the other stories, the faults and the retries do meanwhile.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.chaos.company import OWNERS, PEOPLE, UNITS

CASE_VERBS = ("acknowledge", "contact", "resolve", "close")


@dataclass(frozen=True)
class Step:
    """`wait` seconds after the step before; `what` are the facts that the journal will keep."""

    wait: float
    do: str
    what: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """`at` is the second it begins in."""

    number: int
    at: float
    survey: str
    steps: tuple[Step, ...]


def stories(seed: int, *, seconds: float, per_second: float) -> list[Story]:
    """In the order they begin in; the steps of one lie at most a twelfth of the time apart."""
    chance = random.Random(f"traffic {seed}")
    count = int(seconds * per_second)
    times = sorted(round(chance.uniform(0, 0.9 * seconds), 2) for _ in range(count))
    return [_story(number, at, min(8.0, seconds / 12), chance) for number, at in enumerate(times)]


def _story(number: int, at: float, longest_wait: float, chance: random.Random) -> Story:
    survey = "relations" if chance.random() < 0.05 else "jobs"
    writer = _Writer(number, survey, longest_wait, chance)
    return Story(number, at, survey, tuple(writer.steps()))


class _Writer:
    """Makes up one story; keeps what a later step must fit to."""

    def __init__(self, number: int, survey: str, longest_wait: float, chance: random.Random) -> None:
        self.number = number
        self.survey = survey
        self.longest_wait = longest_wait
        self.chance = chance
        self.score = 0
        self.revision = 0
        self.participants: list[dict[str, Any]] = []
        self.verbs = 0

    def steps(self) -> Iterator[Step]:
        matched = self.survey == "jobs" and self.chance.random() < 0.95
        late = self.chance.random() < 0.3
        if matched and not late:
            yield self._interaction(0.0)
        yield self._answer(0.0, 0)
        if matched and late:
            yield self._interaction(self._soon())
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            yield from self._change(matched)
        if self.chance.random() < 0.12:
            yield Step(self._soon(), self.chance.choice(("erase", "delete")), {})
            if self.chance.random() < 0.5:
                yield self._answer(self._soon(), self.revision + 2)

    def _change(self, matched: bool) -> Iterator[Step]:
        kinds = ["again", "revise", "revise", "stale"]
        kinds += ["move", "dispute", "dispute"] if matched else []
        kinds += ["work", "work"] if self.score <= 6 else []
        match self.chance.choice(kinds):
            case "again":
                yield Step(self._soon(), "answer", self._content(self.revision, self.score, self.causes))
            case "revise":
                yield self._answer(self._soon(), self.revision + 2)
            case "stale" if self.revision:
                yield Step(
                    self._soon(),
                    "answer",
                    self._content(self.revision - 1, self.chance.randint(0, 10), self._some_causes()),
                )
            case "move":
                yield self._interaction(self._soon())
            case "dispute" if self.participants:
                yield self._dispute()
            case "work":
                yield from self._work()

    def _soon(self) -> float:
        return round(self.chance.uniform(0, self.longest_wait), 2)

    def _some_causes(self) -> str:
        return self.chance.choice([*OWNERS, ""])

    def _content(self, revision: int, score: int, cause: str) -> dict[str, Any]:
        """`copies`: how many deliveries of it go out at once."""
        copies = self.chance.choice((1, 1, 1, 1, 2, 3))
        return {"revision": revision, "score": score, "cause": cause, "copies": copies}

    def _answer(self, wait: float, revision: int) -> Step:
        """A new newest revision. Even numbers only: the odd ones between are for edits that arrive late."""
        self.revision = revision
        self.score = self.chance.choice((self.chance.randint(0, 6), self.chance.randint(0, 10)))
        self.causes = self._some_causes()
        return Step(wait, "answer", self._content(revision, self.score, self.causes))

    def _interaction(self, wait: float) -> Step:
        people = self.chance.sample(list(PEOPLE), self.chance.randint(1, 3))
        self.participants = [
            {"employee": person, "role": PEOPLE[person][0], "verified": self.chance.random() < 0.9}
            for person in people
        ]
        what = {
            "unit": self.chance.choice(UNITS),
            "participants": self.participants,
            "same_customer": self.chance.random() < 0.95,
        }
        return Step(wait, "interaction", what)

    def _dispute(self) -> Step:
        what = {
            "employee": self.chance.choice(self.participants)["employee"],
            "kind": self.chance.choice(("not_my_customer", "not_my_cause")),
            "uphold": self.chance.random() < 0.6,
        }
        return Step(self._soon(), "dispute", what)

    def _work(self) -> Iterator[Step]:
        """The next verbs on the case, in their order."""
        until = self.chance.randint(self.verbs, len(CASE_VERBS))
        for verb in CASE_VERBS[self.verbs : until]:
            yield Step(self._soon() / 4, "work", {"verb": verb})
        self.verbs = until
