"""Measuring in turns: the machine's speed drifts, so only what was measured in the same round is compared."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """How long to measure. `rounds` of everything; the other numbers are for one round."""

    rounds: int
    webhooks: int
    events: int
    answers: int


FULL = Effort(rounds=5, webhooks=4_000, events=60_000, answers=350)
QUICK = Effort(rounds=2, webhooks=1_500, events=30_000, answers=100)


@dataclass(frozen=True)
class Comparison:
    """What was measured of us and of the baseline, round by round."""

    name: str
    ours: Sequence[float]
    baseline: Sequence[float]
    unit: str
    target: str

    def cells(self) -> tuple[str, ...]:
        ratios = [a / b for a, b in zip(self.ours, self.baseline, strict=True)]
        return (
            self.name,
            f"{median(self.ours):,.0f} {self.unit}",
            f"{median(self.baseline):,.0f} {self.unit}",
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f}–{max(ratios):.2f}",
            self.target,
        )


HEADINGS = ("", "Fairloop", "baseline", "ratio", "spread", "target")


def table(comparisons: Sequence[Comparison]) -> str:
    rows = [HEADINGS, *(comparison.cells() for comparison in comparisons)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


async def in_turns(rounds: int, measures: Mapping[str, Callable[[int], Awaitable[T]]]) -> dict[str, list[T]]:
    """Each measure's results, round by round; every second round goes the other way round."""
    results: dict[str, list[T]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            results[name].append(await measures[name](number))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results
