"""How many of those who could be asked were asked, and how many of them answered."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from kpi_aggregator.domain.figure import Window
from kpi_aggregator.domain.intervals import wilson
from kpi_aggregator.domain.period import Days


class Asked(NamedTuple):
    """Counts of interactions. `interactions`: all that happened; the others by the day the customer could be asked."""

    interactions: int = 0
    eligible: int = 0
    sent: int = 0
    bounced: int = 0
    edited: int = 0
    answered: int = 0


class FrozenCoverage(msgspec.Struct, frozen=True):
    """Of one employee's interactions: whose customer could be asked, and whose was."""

    eligible: int
    sent: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Shares with their Wilson intervals, from 0 to 1. Answers of fewer than `min_n` are not told."""

    scope_type: str
    scope_id: str
    window: Window
    interactions: int
    eligible: int
    sent: int
    coverage: float | None
    ci95: tuple[float, float] | None
    bounced: int
    edited: int
    answered: int | None
    answer_rate: float | None
    answer_rate_ci95: tuple[float, float] | None
    suppressed: bool
    reason: str


def coverage(scope_type: str, scope_id: str, days: Days, asked: Asked, *, min_n: int) -> Coverage:
    """What is shown. Without anybody who could be asked there is no share."""
    hidden = 0 < asked.answered < min_n
    share, interval = _share(asked.sent, asked.eligible)
    rate, rate_interval = (None, None) if hidden else _share(asked.answered, asked.sent)
    return Coverage(
        scope_type=scope_type,
        scope_id=scope_id,
        window=Window(days.start, days.end),
        interactions=asked.interactions,
        eligible=asked.eligible,
        sent=asked.sent,
        coverage=share,
        ci95=interval,
        bounced=asked.bounced,
        edited=asked.edited,
        answered=None if hidden else asked.answered,
        answer_rate=rate,
        answer_rate_ci95=rate_interval,
        suppressed=hidden,
        reason=_reason(asked, hidden, min_n),
    )


def frozen_coverage(asked: Mapping[str, Asked]) -> dict[str, FrozenCoverage]:
    """As a frozen set keeps it, by employee."""
    return {employee: FrozenCoverage(one.eligible, one.sent) for employee, one in sorted(asked.items())}


def _share(part: int, whole: int) -> tuple[float | None, tuple[float, float] | None]:
    if whole == 0:
        return None, None
    low, high = wilson(part / whole, whole)
    return round(part / whole, 4), (round(low, 4), round(high, 4))


def _reason(asked: Asked, hidden: bool, min_n: int) -> str:
    if asked.eligible == 0:
        return "no invitations recorded"
    told = f"{asked.sent} of {asked.eligible} customers who could be asked were asked; Wilson intervals"
    return f"{told}; answers suppressed: fewer than {min_n}" if hidden else told
