"""What a look at an installation comes to: findings, and what could not be looked at."""

from collections.abc import Sequence
from typing import Literal

import msgspec

State = Literal["fine", "look", "broken"]
WORSE: tuple[State, ...] = ("fine", "look", "broken")
"""Each worse than the one before; its place is the command's exit status."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`do` is one sentence, `see` a heading of docs/runbook.md; both empty where nothing is to be done."""

    check: str
    state: State
    where: str = ""
    seen: str
    do: str = ""
    see: str = ""


class NotLooked(msgspec.Struct, frozen=True, kw_only=True):
    """A check for which something was missing: it says nothing about the installation."""

    check: str
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    state: State
    findings: list[Finding]
    not_looked_at: list[NotLooked]

    @property
    def status(self) -> int:
        """0 when all is fine, 1 when something should be looked at, 2 when something is broken."""
        return WORSE.index(self.state)


def report_of(findings: Sequence[Finding], not_looked_at: Sequence[NotLooked]) -> Report:
    worst = max((WORSE.index(finding.state) for finding in findings), default=0)
    return Report(state=WORSE[worst], findings=list(findings), not_looked_at=list(not_looked_at))
