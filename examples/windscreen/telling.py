"""What the chapters of the story share: who acts, what was answered so far, and the lines of the summary."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from answers import Answer, answers, webhook_body
from client import Checks, Fairloop
from company import Company
from expected import Nps, nps
from rich.console import Console
from rich.table import Table
from signing import signed


@dataclass
class Telling:
    """One run of the story."""

    console: Console
    checks: Checks
    api: Fairloop
    approver: Fairloop | None  # somebody else who may approve a bonus run
    company: Company
    secret: str
    until: datetime
    answers: list[Answer] = field(init=False)
    responses: dict[int, str] = field(default_factory=dict)  # answer number → our response id
    kept: dict[str, Any] = field(default_factory=dict)  # what a later chapter needs of an earlier one
    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = answers(self.until)

    @property
    def period(self) -> dict[str, str]:
        """The days of the bonus period: all answers lie in it."""
        end: date = (self.until + timedelta(days=1)).date()
        return {"from": (end - timedelta(days=45)).isoformat(), "to": end.isoformat()}

    @property
    def whole(self) -> tuple[str, str]:
        """The scope of the whole company: a guest's is its own uppermost unit, since others have answers too."""
        return ("org_unit", self.company.top) if self.company.guest else ("organisation", "all")

    def organisation(self) -> Nps:
        """The company's figure: everybody's answers, and those that were there before."""
        return nps([answer.score for answer in self.answers] + self.kept.get("others", []))

    def employee(self, name: str) -> Fairloop:
        """That person as a caller. A guest has only the administrator's token, who may act for anybody."""
        if self.company.guest:
            return self.api
        return self.api.somebody("--role", "employee", "--employee", self.company.id(name))

    def send(self, answer: Answer) -> dict[str, Any]:
        """Post an answer as the survey platform does."""
        body = webhook_body(self.company, answer)
        headers = signed(self.secret, f"msg_{answer.number}_{answer.score}", body)
        outcome: dict[str, Any] = self.api.webhook(self.company.id("windscreen"), body, headers)
        self.responses[answer.number] = outcome["response_id"]
        return outcome

    def about(self, *, mechanic: str = "mila", causes: tuple[str, ...] = ()) -> list[int]:
        """The scores given to one mechanic, of all causes or some."""
        return [
            answer.score
            for answer in self.answers
            if answer.mechanic == mechanic and (not causes or answer.cause in causes)
        ]

    def figure(self, scope: str, id: str, view: str) -> dict[str, Any]:
        """An NPS of the period."""
        found: dict[str, Any] = self.api.get(
            "kpi-aggregator", f"/v1/kpis/nps/{scope}/{id}", **self.period, view=view
        )
        return found

    def expect(self, what: str, scope: str, id: str, view: str, expected: Nps) -> None:
        """An NPS must come to be exactly this; it becomes a line of the summary."""

        def look() -> tuple[Any, ...]:
            found = self.figure(scope, id, view)
            interval = found["ci95"] or [None, None]
            return (found["value"], *interval, found["n"])

        self.checks.eventually(what, look, (expected.value, expected.low, expected.high, expected.n))
        self.lines.append(
            (what, f"{expected.value:.1f}", f"{expected.low:.1f} to {expected.high:.1f}, n {expected.n}")
        )

    def title(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/]")

    def say(self, text: str) -> None:
        self.console.print(f"  {text}")

    def summary(self) -> None:
        """The figures in the order they came."""
        table = Table(title="\nwhat was measured", title_justify="left")
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_column("95 % interval, answers")
        for line in self.lines:
            table.add_row(*line)
        self.console.print(table)
