"""The table of results as Markdown, with the machine it was measured on, and the marked place it is written to."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.rounds import Comparison

BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of results -->"
HEADINGS = ("#", "", "Fairloop", "baseline", "judged", "spread", "target", "")


def table(comparisons: Sequence[Comparison]) -> str:
    return plain_table(HEADINGS, [comparison.cells() for comparison in comparisons], left=2)


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Markdown; all columns but the first `left` are figures."""
    widths = [max(3, *map(len, column)) for column in zip(headings, *rows, strict=True)]
    rule = ["-" * width if place < left else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    return "\n".join(_line(row, widths, left) for row in (headings, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = (
        cell.ljust(width) if place < left else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def report(comparisons: Sequence[Comparison], failed: Mapping[str, str], *, how: str, minutes: float) -> str:
    """Machine, table, and what could not be measured."""
    when = datetime.now(UTC).date().isoformat()
    lines = [f"{when}, {machine()}. `{how}`, {minutes:.0f} minutes.", "", table(comparisons)]
    if failed:
        lines += ["", *(f"- not measured: {name}: {why}" for name, why in failed.items())]
    return "\n".join(lines)


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}; load of the last quarter hour {load:.1f}"
    )


def write_into(path: Path, text: str) -> None:
    """Replace what stands between the marks; a file without them is made anew."""
    block = f"{BEGIN}\n{text}\n{END}\n"
    if not path.exists() or BEGIN not in path.read_text():
        path.write_text(block)
        return
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(f"{END}\n")
    path.write_text(before + block + after)
