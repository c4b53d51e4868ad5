"""Measuring in turns: the machine's speed drifts, so only what was measured in the same round is compared."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """How long to measure. `rounds` of everything; the other numbers are for one round, `held` and `payees` for all."""

    rounds: int
    webhooks: int
    events: int
    answers: int
    relayed: int
    held: int
    payees: int
    imported: int


FULL = Effort(
    rounds=5,
    webhooks=4_000,
    events=60_000,
    answers=350,
    relayed=20_000,
    held=5_000_000,
    payees=100_000,
    imported=100_000,
)
QUICK = Effort(
    rounds=2,
    webhooks=1_500,
    events=30_000,
    answers=100,
    relayed=5_000,
    held=250_000,
    payees=5_000,
    imported=20_000,
)


@dataclass(frozen=True)
class Target:
    """What a figure should be: at least, or at most, `bound`."""

    bound: float
    at_most: bool = False
    unit: str = ""

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}{self.unit}"


def at_least(bound: float) -> Target:
    return Target(bound)


def at_most(bound: float, unit: str = "") -> Target:
    return Target(bound, at_most=True, unit=f" {unit}" if unit else "")


@dataclass(frozen=True)
class Comparison:
    """What was measured of us and of the baseline, round by round; without a baseline the figure itself is judged.

    `row` is the number in the list of targets; without a target the figure is for information.
    """

    row: int
    name: str
    ours: Sequence[float]
    unit: str
    baseline: Sequence[float] | None = None
    target: Target | None = None

    @property
    def values(self) -> list[float]:
        """What is judged: the ratio of each round."""
        if self.baseline is None:
            return list(self.ours)
        return [a / b for a, b in zip(self.ours, self.baseline, strict=True)]

    def cells(self) -> tuple[str, ...]:
        values, middle = self.values, median(self.values)
        verdict = "" if self.target is None else "met" if self.target.met(middle) else "**missed**"
        return (
            str(self.row),
            self.name,
            f"{figure(median(self.ours))} {self.unit}",
            "" if self.baseline is None else f"{figure(median(self.baseline))} {self.unit}",
            f"**{figure(middle)}**",
            f"{figure(min(values))}–{figure(max(values))}",
            "–" if self.target is None else str(self.target),
            verdict,
        )


def figure(value: float) -> str:
    """Three digits that matter: 0.53, 12.4, 1,349."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


async def in_turns(rounds: int, measures: Mapping[str, Callable[[int], Awaitable[T]]]) -> dict[str, list[T]]:
    """Each measure's results, round by round; every second round goes the other way round."""
    results: dict[str, list[T]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            results[name].append(await measures[name](number))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results
