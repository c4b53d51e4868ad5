"""The `fairloop` command line: what each command asks for and says. What they do is in the modules beside this."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from fairloop.auth import Role, mint_token
from fairloop.cli import access, backup, demo, doctor, launch, log_move, operations, repair
from fairloop.cli.installation import Installation
from fairloop.cli.logs import LOG_NAMES, follow, show_last
from fairloop.cli.reach import as_started, wiring_of
from fairloop.cli.records import load_processes
from fairloop.cli.secret_files import make_secrets, read_private_key
from fairloop.cli.status import states_of, table_of
from fairloop.cli.terminal import LogName, console, here, in_plain_words

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run and look after Fairloop on this machine (FAIRLOOP_HOME, FAIRLOOP_PORT_BASE).",
)


@app.command()
def up() -> None:
    """Start the five services in the background; returns when they are ready."""
    with in_plain_words():
        installation = here()
        try:
            started = launch.up(installation, lambda step: console.print(f"[dim]{step} …[/]"))
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        console.print("Fairloop is ready." if started else "Fairloop is up already.")
        show_states(as_started(installation))


@app.command()
def down() -> None:
    """Stop everything; the data stays."""
    with in_plain_words():
        stopped = launch.down(here())
        console.print("Fairloop is stopped." if stopped else "Fairloop was not running.")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop everything and delete the data of this installation."""
    with in_plain_words():
        installation = here()
        if not yes:
            typer.confirm(f"Delete all data in {installation.home}?", abort=True)
        deleted = launch.reset(installation)
        console.print(
            f"{installation.home} is empty." if deleted else f"There is no data in {installation.home}."
        )


@app.command()
def status() -> None:
    """What runs, and what needs looking at. Status 1 unless every service is ready."""
    with in_plain_words():
        if not show_states(as_started(here())):
            raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[LogName | None, typer.Argument(show_default=False)] = None,
    following: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it is written.")] = False,
    lines: Annotated[int, typer.Option("-n", help="How many lines back.")] = 30,
) -> None:
    """What the services wrote: one of them, or all."""
    names = LOG_NAMES if name is None else (name,)

    def show(source: str, line: str) -> None:
        prefix = "" if name else f"[cyan]{source:<15}[/]"
        console.print(f"{prefix}{escape(line)}")

    installation = here()
    show_last(installation, names, lines, show)
    if following:
        with suppress(KeyboardInterrupt):
            follow(installation, names, show)


@app.command()
def token(
    role: Annotated[list[Role], typer.Option(help="What the bearer may do; may be given several times.")],
    employee: Annotated[str | None, typer.Option(help="The employee the bearer is.")] = None,
    org_unit: Annotated[
        list[str] | None, typer.Option(help="An org unit of the bearer; several times.")
    ] = None,
    sub: Annotated[
        str | None, typer.Option(help="The bearer's name; by default the employee or the role.")
    ] = None,
    days: Annotated[int, typer.Option(help="How long it is valid.", min=1)] = 30,
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--secrets", help="For the containers that use this folder's secrets.", show_default=False
        ),
    ] = None,
) -> None:
    """Print a bearer token for this installation."""
    with in_plain_words():
        private_key = read_private_key(folder) if folder else wiring_of(here()).vault.token_private_key
        print(
            mint_token(
                private_key,
                sub=sub or employee or role[0],
                role_names=role,
                employee_id=employee,
                org_units=org_unit or (),
                valid_seconds=days * 86_400,
            )
        )


@app.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="Where they go.")] = Path("deploy/secrets"),
) -> None:
    """Make the secrets of an installation in containers, one file each; files that are there stay as they are."""
    with in_plain_words():
        made = make_secrets(folder)
        console.print(f"{folder}: {', '.join(made)}" if made else f"{folder} has every secret already.")


def show_states(installation: Installation) -> bool:
    """Prints the table; True when every service is ready."""
    processes = load_processes(installation)
    pids = {name: process.pid for name, process in processes.services.items()} if processes else {}
    states = asyncio.run(states_of(installation))
    console.print(table_of(installation, states, pids))
    for state in states:
        for reason in state.reasons:
            console.print(f"{state.service.name}: {escape(reason)}")
    return all(state.readiness == "ready" for state in states)


app.command()(demo.demo)
app.command()(doctor.doctor)
operations.add_operations(app)
app.command()(backup.backup)
app.command()(backup.restore)
app.add_typer(repair.app, name="repair")
app.add_typer(access.app, name="access")
app.add_typer(log_move.app, name="log")
