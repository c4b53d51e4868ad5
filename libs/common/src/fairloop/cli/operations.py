"""The operator's commands: each runs a command of one service, or of all, with this installation's environment."""

from typing import Annotated, Literal

import typer

from fairloop.cli.installation import SERVICES, service_named
from fairloop.cli.reach import reachable_wiring_of, run_in_service
from fairloop.cli.terminal import MaybeService, OneService, ServiceName, console, here, in_plain_words

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""What these commands do not know themselves goes to the service's command as it is."""


def parked(
    context: typer.Context,
    action: Annotated[Literal["list", "show", "retry", "discard"], typer.Argument(show_default=False)],
    service: MaybeService = None,
) -> None:
    """Events that could not be applied: list, show ID, retry ID, discard ID --reason WHY."""
    if service is None and action != "list":
        raise typer.BadParameter("name the service that parked it: --service NAME")
    run_everywhere(service, "parked", action, *context.args)


def key(
    context: typer.Context,
    action: Annotated[Literal["create", "list", "revoke"], typer.Argument(show_default=False)],
    service: Annotated[ServiceName, typer.Option(help="The service it opens.")],
) -> None:
    """API keys: create --sub WHO --role ROLE [--employee E] [--org-unit U], list, revoke ID."""
    run_everywhere(service, "key", action, *context.args)


def bootstrap(context: typer.Context, service: OneService) -> None:
    """Let a service start reading where the log ends now; its producers then `republish`."""
    run_everywhere(service, "bootstrap", *context.args)


def republish(context: typer.Context, service: OneService) -> None:
    """Publish the current state of everything a service has, with the versions it has."""
    run_everywhere(service, "republish", *context.args)


def recompute(context: typer.Context, service: MaybeService = "kpi-aggregator") -> None:
    """Fold everything anew and compare with what was counted on the way."""
    run_everywhere(service, "recompute", *context.args)


def topics(context: typer.Context) -> None:
    """Create the topics that are missing from the log, and check the others."""
    run_everywhere(SERVICES[0].name, "topics", *context.args)


def add_operations(app: typer.Typer) -> None:
    for command in (parked, key, bootstrap, republish, recompute, topics):
        app.command(context_settings=PASS_ON)(command)


def run_everywhere(service: str | None, *command: str) -> None:
    """In one service, or in each; exits with the first status that is not 0."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        failed = 0
        for one in SERVICES if service is None else (service_named(service),):
            if service is None:
                console.print(f"[bold]{one.name}[/]")
            failed = failed or run_in_service(wiring, one, *command)
    if failed:
        raise typer.Exit(failed)
