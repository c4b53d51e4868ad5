"""A report for a terminal: a line a check, and under what is not fine what to do."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from fairloop.doctor.findings import Finding, Report, State

COLOURS: dict[State, str] = {"fine": "green", "look": "yellow", "broken": "red"}


def shown(report: Report) -> RenderableType:
    """The findings, and below them what was not looked at."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("state", "check", "where"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what is seen, what to do", overflow="fold")
    for finding in report.findings:
        colour = COLOURS[finding.state]
        table.add_row(
            f"[{colour}]{finding.state}[/]", finding.check, escape(finding.where), escape(_told(finding))
        )
    unseen: defaultdict[str, list[str]] = defaultdict(list)
    for one in report.not_looked_at:
        unseen[one.why].append(one.check)
    lines = [f"not looked at: {', '.join(checks)}: {why}" for why, checks in unseen.items()]
    return Group(table, *(escape(line) for line in lines))


def _told(finding: Finding) -> str:
    if not finding.do:
        return finding.seen
    return f"{finding.seen}\n→ {finding.do} (docs/runbook.md, “{finding.see}”)"
