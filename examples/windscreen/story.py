"""The windscreen story, on a running installation: `make demo`.

A customer's 3 because the wrong window was delivered is the organisation's problem: it must not cost the mechanic a
cent, it must reach someone who fixes it, and it must not vanish from the organisation's own number. The story plays
that through all five services and checks every figure. ONCE=1 stops what it started and exits, non-zero when a
figure is off.
"""

import base64
import os
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import chapters
from client import Checks, Fairloop, StoryError
from company import Company
from rich.console import Console
from telling import Telling


def launcher(command: str) -> subprocess.CompletedProcess[str]:
    """One command of `fairloop`."""
    return subprocess.run(
        [sys.executable, "-m", "fairloop.cli", command], text=True, check=False, capture_output=True
    )


def play(console: Console) -> Checks:
    """The whole story; the checks it made."""
    checks = Checks(console)
    now = datetime.now(UTC)
    telling = Telling(
        console=console,
        checks=checks,
        api=Fairloop.local(),
        company=Company(f"{int(time.time()):x}"),
        secret="whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
        # yesterday is the last full day; the period ends with it
        until=datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(hours=1),
    )
    for chapter in chapters.ALL:
        chapter(telling)
    telling.summary()
    return checks


def main() -> int:
    """0 when every figure is as it should be."""
    console = Console(highlight=False)
    once = os.environ.get("ONCE") == "1"
    was_up = launcher("status").returncode == 0
    if not was_up:
        with console.status("starting five services, a database and the event log …"):
            started = launcher("up")
        if started.returncode != 0:
            console.print(started.stdout + started.stderr)
            return 1
    begun = time.monotonic()
    try:
        checks = play(console)
    except StoryError as error:
        console.print(f"[bold red]the story broke off:[/] {error}")
        return 1
    finally:
        if once and not was_up:
            with console.status("stopping what was started …"):
                launcher("down")
    console.print(
        f"\n{checks.made} figures checked in {time.monotonic() - begun:.0f} s, "
        + (f"[bold red]{len(checks.off)} off[/]" if checks.off else "[bold green]all as they should be[/]")
    )
    where_next(console, running=was_up or not once)
    return 1 if checks.off else 0


def where_next(console: Console, *, running: bool) -> None:
    """What a newcomer may want to look at now."""
    lines: list[Any] = []
    if running:
        lines += ["running: " + ", ".join(f"{url}/docs" for url in Fairloop.local().urls.values())]
        lines += ["look at it with `make status`, stop it with `make down`"]
    lines += ["point a real survey at it: README.md", "how the figures are made: docs/concepts.md"]
    for line in lines:
        console.print(f"  → {line}")


if __name__ == "__main__":
    raise SystemExit(main())
