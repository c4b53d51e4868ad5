"""`make mutation-gate`: breaks the runtime on purpose, once per mutant, in a copy; the fault suite must notice each.

Options: `--only TEXT` (mutants whose name has it), `--out FILE` (the table, as Markdown). Ends with status 1 when a
mutant survives, or when the suite is not green without one.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2

from tests.mutation.mutants import MUTANTS, Mutant

CHECKOUT = Path(__file__).resolve().parents[2]
SUITE = "tests/fault"
PATIENCE_SECONDS = 1200
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the test that caught it, or None."""

    mutant: str
    caught_by: str | None
    seconds: float


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the checkout, with the Kafka it has fetched."""
    with tempfile.TemporaryDirectory(prefix="fairloop-mutant-") as folder:
        copy = Path(folder)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=CHECKOUT, check=True, capture_output=True).stdout.split(b"\0"):
            source = CHECKOUT / name.decode()
            if name and source.is_file():
                (copy / name.decode()).parent.mkdir(parents=True, exist_ok=True)
                copy2(source, copy / name.decode())
        (CHECKOUT / ".cache").mkdir(exist_ok=True)
        (copy / ".cache").symlink_to(CHECKOUT / ".cache")
        yield copy


@contextmanager
def broken(copy: Path, mutant: Mutant) -> Iterator[None]:
    """The copy, with the mutant in it. Raises ValueError when its text does not stand there exactly once."""
    whole = {name: (copy / name).read_text() for name, _, _ in mutant.changes}
    for name, there, instead in mutant.changes:
        text = (copy / name).read_text()
        if (found := text.count(there)) != 1:
            raise ValueError(f"{mutant.name}: its text stands {found} times in {name}")
        (copy / name).write_text(text.replace(there, instead))
    try:
        yield
    finally:
        for name, text in whole.items():
            (copy / name).write_text(text)


def first_failure(copy: Path, tests: Sequence[str]) -> str | None:
    """The first of these tests that fails in the copy; None when all pass. Raises RuntimeError when none could run."""
    sources = [copy / "libs/common/src", *sorted((copy / "services").glob("*/src")), copy]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLOOP_HOME")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, sources))
    command = [
        sys.executable,
        "-m",
        "pytest",
        *tests,
        "-x",
        "-q",
        "-rfE",
        "--no-header",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        command,
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if ran.returncode == 0:
        return None
    found = _FAILED.search(ran.stdout)
    if ran.returncode != 1 or found is None:
        raise RuntimeError(f"the tests could not run:\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}")
    return found[1]


def judge(copy: Path, mutant: Mutant) -> Verdict:
    """Let the likely tests look first, then the whole suite."""
    began = time.monotonic()
    with broken(copy, mutant):
        caught_by = first_failure(copy, mutant.tests) or first_failure(copy, [SUITE])
    return Verdict(mutant.name, caught_by, time.monotonic() - began)


def table(verdicts: Sequence[Verdict]) -> str:
    lines = ["| mutant | caught by | seconds |", "|---|---|---:|"]
    for verdict in verdicts:
        caught = f"`{verdict.caught_by}`" if verdict.caught_by else "**nobody**"
        lines.append(f"| {verdict.mutant} | {caught} | {verdict.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.mutation")
    options.add_argument("--only", default="")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    mutants = [mutant for mutant in MUTANTS if chosen.only in mutant.name]
    with copied() as copy:
        tests = sorted({name for mutant in mutants for name in mutant.tests})
        if (failure := first_failure(copy, tests)) is not None:
            print(f"without any mutant, {failure} fails")
            return 1
        verdicts = []
        for mutant in mutants:
            verdicts.append(judge(copy, mutant))
            print(
                f"{verdicts[-1].seconds:5.0f} s  {mutant.name}: {verdicts[-1].caught_by or 'SURVIVES'}",
                flush=True,
            )
    if chosen.out is not None:
        chosen.out.write_text(table(verdicts))
    survivors = [verdict.mutant for verdict in verdicts if verdict.caught_by is None]
    print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
