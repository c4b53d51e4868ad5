"""The table of faults at the end of a run."""

import pytest
from tests.form import LONG


def number(items: list[pytest.Item]) -> None:
    """Let each fault's test tell its number and log to whoever makes the table."""
    for item in items:
        if (mark := item.get_closest_marker("fault")) is None:
            continue
        item.user_properties.append(("fault", str(mark.args[0]) if mark.args else "–"))
        log = "kafka" if item.get_closest_marker("kafka") else "embedded"
        item.user_properties.append(("log", log))


def show(terminalreporter: pytest.TerminalReporter) -> None:
    """Fault, what is survived, on which log, seconds."""
    rows = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            said = dict(getattr(report, "user_properties", ()))
            if "fault" in said and (report.when == "call" or report.outcome != "passed"):
                name = report.nodeid.partition("::")[2].partition("[")[0].partition("@")[0]
                rows.append(
                    (
                        said["fault"],
                        name.removeprefix("test_").replace("_", " "),
                        said["log"],
                        report.duration,
                        outcome,
                    )
                )
    if not rows:
        return
    terminalreporter.section("faults survived")
    for fault, name, log, seconds, outcome in sorted(
        rows, key=lambda row: (not row[0].isdigit(), row[0].zfill(3), *row[1:3])
    ):
        note = "" if outcome == "passed" else f"  {outcome.upper()}"
        terminalreporter.write_line(f"{fault:>9}  {name:<86} {log:<8} {seconds:6.1f} s{note}")
    terminalreporter.write_line(f"{'':>9}  {'long form' if LONG else 'short form'}, {len(rows)} tests")
