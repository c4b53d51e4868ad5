"""`fairloop repair …`: what a restore has left wrong, and mending it, service by service in the order of the data."""

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.markup import escape

from fairloop.auth import Role
from fairloop.cli.installation import SERVICES, Installation, ServiceSpec, service_named
from fairloop.cli.keeper import service_command
from fairloop.cli.reach import reachable_wiring_of, run_in_service
from fairloop.cli.readiness import PATIENCE
from fairloop.cli.records import load_processes, running_supervisor, signal_process
from fairloop.cli.terminal import OneService, ServiceName, console, here, in_plain_words
from fairloop.cli.trimming import trim_log
from fairloop.cli.wiring import Wiring
from fairloop.embedded import EmbeddedError
from fairloop.events import TOPICS
from fairloop.trust import trusted

app = typer.Typer(no_args_is_help=True, help="After a restore: what is wrong, and mending it.")


@app.command()
def plan() -> None:
    """What is wrong between databases and log, and what to run; changes nothing. Status 1 when anything is."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        wrong = [name for name in map(_looked_at, _answers(wiring, SERVICES, "repair", "plan")) if name]
        if wrong:
            console.print(f"Run: [bold]fairloop repair run {wrong[0] if len(wrong) == 1 else ''}[/]")
            raise typer.Exit(1)
        console.print("Databases and log agree.")


def _looked_at(answer: dict[str, Any]) -> str | None:
    """Say what was found; the service's name when that is anything."""
    for found in answer["findings"]:
        place = f"{found['topic']}/{found['partition']}"
        console.print(f"[yellow]{answer['service']}[/] {place}: {escape(found['says'])}")
    return answer["service"] if answer["findings"] else None


@app.command()
def run(
    service: Annotated[ServiceName | None, typer.Argument(help="Only this one.", show_default=False)] = None,
) -> None:
    """Take over from the log what restored databases have forgotten, and go on. May be run again at any time."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        again: set[str] = set()
        for one in SERVICES if service is None else (service_named(service),):
            (done,) = _answers(wiring, [one], "repair", "run")
            _told(done)
            again |= {TOPICS[jumped["topic"]].producer for jumped in done["jumped"]}
            if done["restart"]:
                _restart(wiring.installation, one)
        for producer in sorted(again):
            console.print(f"[bold]{producer}[/]: everything is published once more, for those that jumped")
            _checked(run_in_service(wiring, service_named(producer), "republish"), producer)


def _told(done: dict[str, Any]) -> None:
    console.print(
        f"[bold]{done['service']}[/]: {done['read']} records read, {done['taken_over']} things taken over from the log"
    )
    for jumped in done["jumped"]:
        console.print(f"  {jumped['topic']}/{jumped['partition']} went on behind: {escape(jumped['reason'])}")
    if done["republished"]:
        console.print(f"  {done['republished']} events published again: the log had lost some")
    if done["unreadable"]:
        console.print(f"  [yellow]{done['unreadable']} records of its own cannot be read[/]")
    for lost in done["lost"]:
        console.print(f"  [red]{escape(lost)}[/]")


@app.command(name="pass")
def pass_(
    service: OneService,
    topic: str,
    partition: int,
    events: Annotated[int, typer.Option(help="How many to take at most.", min=1)] = 100,
) -> None:
    """Past an open breaker, once you have looked: the next events are taken, those that fail are parked."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        one = service_named(service)
        command = ("repair", "pass", topic, str(partition), "--events", str(events))
        _checked(run_in_service(wiring, one, *command), one.name)
        _restart(wiring.installation, one)


@app.command()
def trim(
    days: Annotated[int, typer.Option(help="Keep at least what is younger than this.", min=1)],
) -> None:
    """Delete from the log what everybody has read and no backup will need: it can then not be recovered from."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        answers = _answers(wiring, SERVICES, "repair", "plan")
        if [name for name in map(_looked_at, answers) if name]:
            raise EmbeddedError("nothing is deleted while something is wrong: fairloop repair run")
        for topic, partition, count in trim_log(wiring.log_url, answers, days=days):
            console.print(f"{topic}/{partition}: {count} records deleted")


@app.command()
def erasures(
    file: Annotated[Path, typer.Argument(help="A customer's reference a line.", exists=True)],
) -> None:
    """Repeat the erasures that were asked for since the backup; those that are done already stay as they are."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        url = wiring.installation.urls()["survey-intake"]
        headers = {"Authorization": f"Bearer {wiring.token('repair', Role.ADMIN)}"}
        refs = [line.strip() for line in file.read_text().splitlines() if line.strip()]
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            for number, ref in enumerate(refs, 1):
                answer = client.delete(f"/v1/customers/{ref}")
                if not answer.is_success:
                    raise EmbeddedError(f"line {number}: {answer.status_code} {answer.text}")
        console.print(f"{len(refs)} erasures repeated")


def _answers(wiring: Wiring, services: Sequence[ServiceSpec], *command: str) -> list[dict[str, Any]]:
    """What the command of each service printed, run side by side. Raises EmbeddedError when one printed nothing."""
    running = [
        subprocess.Popen(
            service_command(service.package, *command),
            env=wiring.environment(service),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for service in services
    ]
    said = [process.communicate() for process in running]
    for service, (printed, complaint) in zip(services, said, strict=True):
        if not printed:
            raise EmbeddedError(f"{service.name}: {complaint.strip()}")
    return [json.loads(printed) for printed, _ in said]


def _checked(status: int, name: str) -> None:
    if status:
        raise EmbeddedError(f"{name}: the command ended with status {status}")


def _restart(installation: Installation, service: ServiceSpec) -> None:
    """A worker looks at what it had halted only when it starts. Elsewhere than here, whoever runs it restarts it."""
    supervised = running_supervisor(installation)
    process = supervised.services.get(service.name) if supervised else None
    if process is None:
        console.print(f"  restart the worker of {service.name} now")
        return
    signal_process(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = load_processes(installation)
        if (
            now
            and now.services.get(service.name, process) != process
            and _answers_ready(installation, service)
        ):
            console.print(f"  {service.name} was restarted")
            return
        time.sleep(0.1)
    raise EmbeddedError(f"{service.name} does not become ready again: fairloop logs {service.name}")


def _answers_ready(installation: Installation, service: ServiceSpec) -> bool:
    try:
        answer = httpx.get(f"{installation.url(service)}/readyz", timeout=5, verify=trusted())
        return answer.status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
