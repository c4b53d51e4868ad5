"""One service's command line: `python -m <package>.main api | worker | all | migrate | …`."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from pydantic_settings import SettingsError

from fairloop import parking
from fairloop.api_keys import create_api_key, revoke_api_key
from fairloop.auth import Role
from fairloop.db import is_transient, sql
from fairloop.errors import ProblemError
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError
from fairloop.poison import describe
from fairloop.rebuilding import bootstrap as bootstrap_positions
from fairloop.rebuilding import republish as republish_all
from fairloop.repair.commands import repair_commands
from fairloop.serve import open_runtime, run_server
from fairloop.service import Runtime, Service
from fairloop.wire import Decoder


def _with_runtime(service: Service, action: Callable[[Runtime], Awaitable[Any]]) -> Any:
    """Run one action with the service's resources; what the user can do something about ends the command in words."""

    async def go() -> Any:
        async with open_runtime(service) as runtime:
            return await action(runtime)

    try:
        return asyncio.run(go())
    except ProblemError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from error
    except Exception as error:
        if not (is_transient(error) or isinstance(error, LogUnavailableError)):
            raise
        typer.echo(f"The database or the event log does not answer: {describe(error)}", err=True)
        raise typer.Exit(1) from error


def _print(value: Any) -> None:
    typer.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def run(service: Service) -> None:
    """The command line of a service; what it prints for others is JSON."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=f"Fairloop {service.name}",
    )
    _add_serving(app, service)
    _add_upkeep(app, service)
    app.add_typer(_parked(service), name="parked")
    app.add_typer(_keys(service), name="key")
    app.add_typer(repair_commands(service, _with_runtime), name="repair")
    try:
        app()
    except SettingsError as error:
        sys.exit(f"{service.name} is not set up:\n{error}")


def _add_serving(app: typer.Typer, service: Service) -> None:
    @app.command()
    def api() -> None:
        """Answer HTTP."""
        run_server(service, api=True, worker=False)

    @app.command()
    def worker() -> None:
        """Relay, consume, run timers; answers /healthz, /readyz and /metrics only."""
        run_server(service, api=False, worker=True)

    @app.command(name="all")
    def everything() -> None:
        """API and worker in one process."""
        run_server(service, api=True, worker=True)


def _add_upkeep(app: typer.Typer, service: Service) -> None:
    @app.command()
    def migrate() -> None:
        """Bring the database to the newest version."""
        from fairloop.migrate import upgrade  # noqa: PLC0415 - alembic is slow to load, serving needs none

        _with_runtime(service, lambda runtime: upgrade(service, runtime.db))

    @app.command()
    def revision(message: str) -> None:
        """Write the next migration from what the models have and the migrations have not (for developers)."""
        from fairloop.schema_changes import write_revision  # noqa: PLC0415 - needs the embedded extra

        typer.echo(asyncio.run(write_revision(service, message)))

    @app.command()
    def topics() -> None:
        """Create every topic of the catalogue that the log does not have; refuses a wrong partition count."""

        async def go(runtime: Runtime) -> None:
            async with open_log(runtime.settings.log_url) as event_log:
                await event_log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})

        _with_runtime(service, go)
        _print(
            [
                {"topic": topic.name, "partitions": topic.partitions, "producer": topic.producer}
                for topic in TOPICS.values()
            ]
        )

    @app.command()
    def bootstrap() -> None:
        """Store the end of the log as this consumer's position; the producers republish afterwards."""

        async def go(runtime: Runtime) -> Any:
            async with open_log(runtime.settings.log_url) as event_log:
                return await bootstrap_positions(service, runtime, event_log)

        positions = _with_runtime(service, go)
        _print(
            [
                {
                    "topic": p.topic,
                    "partition": p.partition,
                    "next_offset": at.next_offset,
                    "hw_pseq": at.hw_pseq,
                }
                for p, at in positions.items()
            ]
        )

    @app.command()
    def republish() -> None:
        """Publish the current state of everything this service owns once more."""
        _print({"republished": _with_runtime(service, lambda runtime: republish_all(service, runtime))})

    @app.command()
    def recompute() -> None:
        """Fold the kept facts anew and compare with the running figures."""
        compute = service.recompute
        if compute is None:
            typer.echo(f"{service.name} keeps no running figures.", err=True)
            raise typer.Exit(2)

        async def go(runtime: Runtime) -> Any:
            async with runtime.db.begin() as session:
                return await compute(session)

        report = _with_runtime(service, go)
        _print(report)
        raise typer.Exit(0 if report["equal"] else 1)


def _parked(service: Service) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help="Events that could not be applied.")

    @app.command(name="list")
    def list_(state: str = "parked") -> None:
        """What waits; or --state replayed, discarded."""

        async def go(runtime: Runtime) -> Any:
            async with runtime.db.begin() as session:
                return await parking.list_parked(session, state=state)

        _print(_with_runtime(service, go))

    @app.command()
    def show(id: UUID) -> None:
        """One parked event with the record as it came."""

        async def go(runtime: Runtime) -> Any:
            async with runtime.db.begin() as session:
                return await parking.show_parked(session, id)

        parked, record = _with_runtime(service, go)
        _print({**msgspec.to_builtins(parked), "value": record.value.decode(errors="replace")})

    @app.command()
    def retry(id: UUID) -> None:
        """Replay all waiting events of this event's key, in log order."""

        async def go(runtime: Runtime) -> Any:
            handlers = service.handlers(runtime.settings, runtime.clock)
            async with runtime.db.begin() as session:
                return await parking.retry_key(session, id, handlers, Decoder(set(handlers)))

        try:
            replayed = _with_runtime(service, go)
        except typer.Exit:
            raise
        except Exception as error:
            typer.echo(f"Nothing was replayed, the events stay parked: {describe(error)}", err=True)
            raise typer.Exit(1) from error
        _print({"replayed": replayed})

    @app.command()
    def discard(id: UUID, reason: Annotated[str, typer.Option(help="Kept with the event.")]) -> None:
        """Give one event up. The others of its key wait until they are retried."""

        async def go(runtime: Runtime) -> Any:
            async with runtime.db.begin() as session:
                await parking.discard(session, id, reason)

        _with_runtime(service, go)
        _print({"discarded": str(id), "reason": reason})

    return app


def _keys(service: Service) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help="API keys of this service.")

    @app.command()
    def create(
        role: Annotated[list[Role], typer.Option(help="May be given several times.")],
        sub: Annotated[str, typer.Option(help="Whose key it is; shows up in the records.")],
        employee: str | None = None,
        org_unit: Annotated[list[str] | None, typer.Option()] = None,
    ) -> None:
        """Make a key; it is shown once."""
        made = _with_runtime(
            service,
            lambda runtime: create_api_key(
                runtime.db, sub=sub, role_names=role, employee_id=employee, org_units=org_unit or ()
            ),
        )
        _print({"id": made.id, "key": made.key})

    @app.command(name="list")
    def list_() -> None:
        """The keys, without their secrets."""

        async def go(runtime: Runtime) -> Any:
            async with runtime.db.begin() as session:
                rows = await sql(
                    session,
                    "SELECT id, sub, roles, employee_id, org_units, created_at, revoked_at FROM api_key ORDER BY created_at",
                )
                return [dict(row) for row in rows]

        _print(_with_runtime(service, go))

    @app.command()
    def revoke(id: str) -> None:
        """End a key; running processes notice within half a minute."""
        if not _with_runtime(service, lambda runtime: revoke_api_key(runtime.db, id)):
            typer.echo(f"There is no live key {id}.", err=True)
            raise typer.Exit(1)
        _print({"revoked": id})

    return app
