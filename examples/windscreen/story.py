"""The windscreen story, on a running installation: `make demo`, or `fairloop demo --target URL…` on any.

A customer's 3 because the wrong window was delivered is the organisation's problem: it must not cost the mechanic a
cent, it must reach someone who fixes it, and it must not vanish from the organisation's own number. The story plays
that through all five services and checks every figure. Here it starts Fairloop where it does not run; ONCE=1 stops
what it started and exits, non-zero when a figure is off. On a target it is a guest: under ids of its own, with
FAIRLOOP_TOKEN as the administrator's token and FAIRLOOP_APPROVER_TOKEN as that of somebody else who may approve.
"""

import argparse
import base64
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import chapters
from client import Checks, Fairloop, StoryError
from company import Company
from leaving import take_back, what_was_made
from rich.console import Console
from rich.markup import escape
from target import check_room, services_at
from telling import Telling


def launcher(command: str) -> subprocess.CompletedProcess[str]:
    """One command of `fairloop`."""
    return subprocess.run(
        [sys.executable, "-m", "fairloop.cli", command], text=True, check=False, capture_output=True
    )


def play(console: Console, api: Fairloop, company: Company, approver: Fairloop | None) -> Checks:
    """The whole story; the checks it made."""
    checks = Checks(console)
    now = datetime.now(UTC)
    telling = Telling(
        console=console,
        checks=checks,
        api=api,
        approver=approver,
        company=company,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
        # yesterday is the last full day; the period ends with it
        until=datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(hours=1),
    )
    for chapter in chapters.ALL:
        chapter(telling)
    telling.summary()
    return checks


def here(console: Console) -> int:
    """On the installation of this checkout."""
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
        api = Fairloop.local()
        finance = api.somebody("--role", "finance", "--sub", "fin")
        checks = play(console, api, Company(f"{int(time.time()):x}"), finance)
    finally:
        if once and not was_up:
            with console.status("stopping what was started …"):
                launcher("down")
    status = verdict(console, checks, begun)
    where_next(console, running=was_up or not once)
    return status


def elsewhere(console: Console, urls: Sequence[str], *, remove: str | None) -> int:
    """On somebody's installation, as a guest; or take back what a guest left there."""
    token = os.environ.get("FAIRLOOP_TOKEN")
    if not token:
        raise StoryError("FAIRLOOP_TOKEN must be an administrator's token there")
    services = services_at(urls)
    api = Fairloop(services, token)
    begun = time.monotonic()
    if remove is not None:
        return verdict(console, take_back(console, api, Company(remove, guest=True)), begun)
    check_room(api)
    company = Company(f"demo.{int(time.time()):x}{secrets.token_hex(2)}", guest=True)
    approving = os.environ.get("FAIRLOOP_APPROVER_TOKEN")
    try:
        checks = play(console, api, company, Fairloop(services, approving) if approving else None)
    finally:
        what_was_made(console, company)
    return verdict(console, checks, begun)


def verdict(console: Console, checks: Checks, begun: float) -> int:
    """Say how it went; 0 when every figure is as it should be."""
    console.print(
        f"\n{checks.made} figures checked in {time.monotonic() - begun:.0f} s, "
        + (f"[bold red]{len(checks.off)} off[/]" if checks.off else "[bold green]all as they should be[/]")
    )
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


def main() -> int:
    """0 when every figure is as it should be."""
    parser = argparse.ArgumentParser(prog="fairloop demo")
    parser.add_argument("--target", action="append", default=[])
    parser.add_argument("--remove")
    options = parser.parse_args()
    console = Console(highlight=False)
    try:
        if options.target:
            return elsewhere(console, options.target, remove=options.remove)
        return here(console)
    except StoryError as error:
        console.print(f"[bold red]the story broke off:[/] {escape(str(error))}", soft_wrap=True)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
