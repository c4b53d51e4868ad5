"""`fairloop log move`: the embedded log carried over to Kafka, and the installation with it.

Until the embedded log is closed, in one transaction, nothing has changed for the installation; from then on it can
only go on with the new one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer

from fairloop.cli.files import write_private
from fairloop.cli.installation import LOG_VARIABLE, Installation
from fairloop.cli.reach import wiring_of
from fairloop.cli.records import load_processes, only_one, running_supervisor
from fairloop.cli.terminal import console, here, in_plain_words
from fairloop.cli.wiring import Wiring
from fairloop.embedded import EmbeddedError
from fairloop.log import open_log
from fairloop.log.moving import UnlikeError, carry_over, check_alike
from fairloop.log.port import LogMovedError, LogUnavailableError, TopicMismatchError
from fairloop.log.postgres import PostgresLog
from fairloop.log.postgres_closing import LogInUseError, frozen

app = typer.Typer(no_args_is_help=True, help="The event log of this installation.")


@app.callback()
def log() -> None:
    """A group also with one command."""


@app.command()
def move(
    to: Annotated[
        str, typer.Argument(help="kafka://[user:password@]host:port[,host:port][?…]", show_default=False)
    ],
) -> None:
    """Carry the embedded log over to Kafka and use that from the next `up` on. After `down`; may be run again."""
    with in_plain_words():
        if not to.startswith("kafka://"):
            raise EmbeddedError("the address of Kafka's brokers begins with kafka://")
        installation = here()
        if running_supervisor(installation) is not None:
            raise EmbeddedError("Fairloop is running: `fairloop down` first")
        wiring = wiring_of(installation)
        if (installation.log_url or "").startswith("kafka://"):
            raise EmbeddedError(f"the log of this installation is at {_place(wiring.log_url)} already")
        with _standing_still(wiring):
            asyncio.run(_move(wiring.log_url, to))
            write_private(installation.moved_log_file, msgspec.json.encode({"log_url": to}))
        console.print(f"The log is at {_place(to)} from now on: [bold]fairloop up[/]")
        if installation.environment.get(LOG_VARIABLE):
            console.print(f"{LOG_VARIABLE} names the old one: set it to the new address")


async def _move(source_url: str, to: str) -> None:
    """Raises EmbeddedError; the embedded log is then as it was."""
    try:
        async with PostgresLog(source_url) as source:
            topics = await source.all_topics()
        async with frozen(source_url) as closing, PostgresLog(source_url) as source, open_log(to) as target:
            console.print("[dim]copying …[/]")
            await carry_over(source, target, topics)
            console.print("[dim]comparing …[/]")
            for topic, count in (await check_alike(source, target, topics)).items():
                console.print(f"{topic}: {count} records")
            await closing.close_for_good(_place(to))
    except ValueError as error:
        raise EmbeddedError(str(error)) from error
    except LogMovedError as moved:
        if str(moved) != _place(to):
            raise EmbeddedError(f"this log was moved to {moved} before") from moved
    except (UnlikeError, TopicMismatchError) as error:
        raise EmbeddedError(
            f"{_place(to)} is no place for this log: {error}. Nothing was switched; it takes topics that do not exist yet, "
            "or those that an earlier try of this command has left"
        ) from error
    except (LogInUseError, LogUnavailableError) as error:
        raise EmbeddedError(f"{error}; then run it again") from error


def _place(url: str) -> str:
    """The brokers alone: an address may hold passwords, and this is shown and written down."""
    return "kafka://" + url.removeprefix("kafka://").partition("?")[0].rpartition("@")[2]


@contextmanager
def _standing_still(wiring: Wiring) -> Iterator[None]:
    """No supervisor works, nor anything an earlier one has left; the embedded PostgreSQL runs. Raises EmbeddedError."""
    with only_one(wiring.installation):
        if left := _left_running(wiring.installation):
            raise EmbeddedError(f"still running: {', '.join(left)}: `fairloop down` first")
        if wiring.postgres is not None:
            wiring.postgres.start()
        try:
            yield
        finally:
            if wiring.postgres is not None:
                wiring.postgres.stop()


def _left_running(installation: Installation) -> list[str]:
    processes = load_processes(installation)
    return [name for name, process in processes.services.items() if process.is_alive] if processes else []
