"""`python -m <package>.main repair …`: one service's part; what it prints is JSON."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import typer

from fairloop.log import open_log
from fairloop.log.port import Log, LogUnavailableError, TopicPartition
from fairloop.poison import TooManyParkedError
from fairloop.receipts import HaltError
from fairloop.repair.findings import look
from fairloop.repair.passing import pass_breaker
from fairloop.repair.reading_on import NothingToReadError
from fairloop.repair.repairing import repair
from fairloop.service import Runtime, Service

WithRuntime = Callable[[Service, Callable[[Runtime], Awaitable[Any]]], Any]


def repair_commands(service: Service, with_runtime: WithRuntime) -> typer.Typer:
    """`with_runtime` runs one action with the service's resources."""
    app = typer.Typer(no_args_is_help=True, help="After a restore: what is wrong, and mending it.")

    def with_log(action: Callable[[Runtime, Log], Awaitable[Any]]) -> Any:
        async def go(runtime: Runtime) -> Any:
            async with open_log(runtime.settings.log_url) as event_log:
                return await action(runtime, event_log)

        try:
            return with_runtime(service, go)
        except (HaltError, LogUnavailableError, NothingToReadError, TooManyParkedError) as error:
            typer.echo(f"{service.name}: {error}", err=True)
            raise typer.Exit(1) from error

    @app.command()
    def plan() -> None:
        """What is wrong between database and log; changes nothing. Status 1 when anything is."""
        found = with_log(lambda runtime, event_log: look(service, runtime, event_log))
        _print(found)
        raise typer.Exit(1 if found.findings else 0)

    @app.command()
    def run() -> None:
        """Read on, take over from the log what was forgotten, number behind the log. May be run again."""
        _print(with_log(lambda runtime, event_log: repair(service, runtime, event_log)))

    @app.command(name="pass")
    def pass_(
        topic: str,
        partition: int,
        events: Annotated[int, typer.Option(help="How many to take at most.", min=1)] = 100,
    ) -> None:
        """Take the next events of a partition whose breaker opened; those that fail are parked."""
        place = TopicPartition(topic, partition)
        done = with_log(
            lambda runtime, event_log: pass_breaker(service, runtime, event_log, place, most=events)
        )
        if done is None:
            typer.echo(f"{service.name} has read all of {topic}/{partition}.", err=True)
            raise typer.Exit(1)
        _print({"applied": done.applied, "parked": done.parked, "repeated": done.repeated})

    return app


def _print(value: Any) -> None:
    typer.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))
