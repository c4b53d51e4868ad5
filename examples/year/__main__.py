"""The year on a running installation: `fairloop demo --year`. ONCE=1 stops what it started."""

import argparse
import base64
import os
import secrets
import subprocess
import sys
import time
from datetime import UTC, date, datetime

from examples.windscreen.client import Checks, Fairloop, StoryError
from examples.year import truth
from examples.year.company import YearCompany
from examples.year.generator import Problems, Year, generate
from examples.year.player import describe, play
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE_SECONDS = 300


def tell(api: Fairloop, console: Console, *, seed: int, ends: date, scale: float) -> Checks:
    """Generate, play, wait until everything is counted, ask for the planted truth; the checks that were made.

    The ids name seed, end and scale: the same year again changes nothing.
    """
    year = generate(seed=seed, ends=ends, scale=scale)
    company = YearCompany(f"y{seed}.{ends:%y%m%d}.{round(1000 * scale)}")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    describe(api, company, secret)
    console.print(
        f"[bold]{year.months[0]} to {year.months[-1]}:[/] 3 branches, 40 people, "
        f"{len(year.jobs)} interactions, {len(year.answers)} answers (ids end in {company.tag})"
    )
    columns = (
        TextColumn("  {task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        play(api, company, year, secret, progress)
        wait_until_counted(api, company, year, progress)
    checks = Checks(console)
    unplanted = generate(
        seed=seed, ends=ends, scale=scale, problems=Problems(supplier=False, scheduler=False)
    )
    asking = truth.Asking(api, checks, console, company, year, unplanted, scale)
    for ask in truth.ALL:
        ask(asking)
    return checks


def wait_until_counted(api: Fairloop, company: YearCompany, year: Year, progress: Progress) -> None:
    """Every answer has come through to the figures. Raises StoryError when none comes any more."""
    task = progress.add_task("counted", total=len(year.answers))
    counted, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    days = {"from": year.months[0].isoformat(), "to": year.months[-1].isoformat()}
    while counted < len(year.answers):
        if time.monotonic() > deadline:
            raise StoryError(f"{counted} of {len(year.answers)} answers were counted")
        time.sleep(0.2)
        counted = api.get("kpi-aggregator", f"/v1/kpis/nps/org_unit/{company.id('glass')}", **days)["n"] or 0
        progress.update(task, completed=counted)


def launcher(command: str) -> subprocess.CompletedProcess[str]:
    """One command of `fairloop`."""
    return subprocess.run(
        [sys.executable, "-m", "fairloop.cli", command], text=True, check=False, capture_output=True
    )


def main() -> int:
    """0 when everything is as planted."""
    parser = argparse.ArgumentParser(prog="fairloop demo --year")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ends", type=date.fromisoformat, default=datetime.now(UTC).date().replace(day=1))
    options = parser.parse_args()
    console = Console(highlight=False)
    was_up = launcher("status").returncode == 0
    if not was_up:
        with console.status("starting five services, a database and the event log …"):
            started = launcher("up")
        if started.returncode != 0:
            console.print(started.stdout + started.stderr)
            return 1
    begun = time.monotonic()
    try:
        checks = tell(Fairloop.local(), console, seed=options.seed, ends=options.ends, scale=options.scale)
    except StoryError as error:
        console.print(f"[bold red]the year broke off:[/] {error}")
        return 1
    finally:
        if os.environ.get("ONCE") == "1" and not was_up:
            with console.status("stopping what was started …"):
                launcher("down")
    console.print(
        f"\n{checks.made} figures checked, {time.monotonic() - begun:.0f} s in all, "
        + (f"[bold red]{len(checks.off)} off[/]" if checks.off else "[bold green]all as planted[/]")
    )
    return 1 if checks.off else 0


if __name__ == "__main__":
    raise SystemExit(main())
