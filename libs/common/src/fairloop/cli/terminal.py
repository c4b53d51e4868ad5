"""What the commands share: the terminal, and how a service is named on the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from fairloop.cli.installation import Installation
from fairloop.embedded import EmbeddedError

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)

ServiceName = Literal["survey-intake", "attribution", "kpi-aggregator", "closed-loop", "bonus"]
LogName = Literal[
    "survey-intake", "attribution", "kpi-aggregator", "closed-loop", "bonus", "supervisor", "postgres"
]
OneService = Annotated[ServiceName, typer.Argument(help="The service.", show_default=False)]
MaybeService = Annotated[
    ServiceName | None, typer.Option("--service", help="Only this service.", show_default=False)
]


@contextmanager
def in_plain_words(*, status: int = 1) -> Iterator[None]:
    """What a person can do something about is a sentence and this status, not a traceback."""
    try:
        yield
    except (EmbeddedError, OSError) as error:
        complaints.print(f"[red]fairloop:[/] {escape(str(error))}")
        raise typer.Exit(status) from None


def here() -> Installation:
    """The installation that the environment names."""
    try:
        return Installation.of()
    except ValueError as error:
        raise EmbeddedError(str(error)) from error
