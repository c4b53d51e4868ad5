"""`fairloop backup` and `fairloop restore`: one service's database by the embedded PostgreSQL's own pg_dump."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

import typer

from fairloop.cli.installation import SERVICES, Installation, ServiceSpec, service_named
from fairloop.cli.reach import reachable_wiring_of, wiring_of
from fairloop.cli.records import STOP_SECONDS, load_processes, only_one, running_supervisor, signal_process
from fairloop.cli.terminal import MaybeService, console, here, in_plain_words
from fairloop.cli.wiring import Wiring
from fairloop.embedded import EmbeddedError
from fairloop.embedded.account import account_for
from fairloop.embedded.programs import find_programs


def backup(
    folder: Annotated[Path, typer.Argument(help="Where the dumps go.", show_default=False)],
    service: MaybeService = None,
) -> None:
    """Dump the databases, each as of one moment, while everything runs. Secrets are not in it, nor the log."""
    with in_plain_words():
        wiring = reachable_wiring_of(here())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in SERVICES if service is None else (service_named(service),):
            file = _dump(folder, one)
            draft = file.with_suffix(".part")
            _run(wiring, one, "pg_dump", "--format=custom", f"--file={draft}")
            draft.rename(file)
            console.print(str(file))


def restore(
    folder: Annotated[Path, typer.Argument(help="Where the dumps are.", exists=True, file_okay=False)],
    service: MaybeService = None,
) -> None:
    """Put databases back to their dumps, each all or nothing; their services stand still meanwhile."""
    with in_plain_words():
        services = SERVICES if service is None else (service_named(service),)
        dumps = {one: _dump(folder, one) for one in services}
        if missing := [str(dump) for dump in dumps.values() if not dump.exists()]:
            raise EmbeddedError(f"there is no {', '.join(missing)}")
        wiring = wiring_of(here())
        with _running(wiring), _stopped(wiring.installation, services):
            for one, dump in dumps.items():
                _put_back(wiring, one, dump)
                console.print(f"{one.name} is as it was in {dump}")
        console.print("Next: [bold]fairloop repair plan[/]")


@contextmanager
def _running(wiring: Wiring) -> Iterator[None]:
    """The embedded PostgreSQL, started for this alone when the installation is down."""
    if wiring.postgres is None or running_supervisor(wiring.installation) is not None:
        yield
        return
    with only_one(wiring.installation):
        wiring.postgres.start()
        try:
            yield
        finally:
            wiring.postgres.stop()


@contextmanager
def _stopped(installation: Installation, services: Sequence[ServiceSpec]) -> Iterator[None]:
    """No process of these services runs; the supervisor starts them again at the end."""
    supervised = running_supervisor(installation)
    try:
        for service in services if supervised else ():
            installation.hold_file(service).touch()
        for service in services if supervised else ():
            _stop(installation, service)
        yield
    finally:
        for service in services:
            installation.hold_file(service).unlink(missing_ok=True)


def _stop(installation: Installation, service: ServiceSpec) -> None:
    deadline = time.monotonic() + STOP_SECONDS + 5
    while time.monotonic() < deadline:
        known = load_processes(installation)
        process = known.services.get(service.name) if known else None
        if process is None or not process.is_alive:
            return
        signal_process(process.pid, signal.SIGTERM)
        time.sleep(0.2)
    raise EmbeddedError(f"{service.name} does not stop")


def _dump(folder: Path, service: ServiceSpec) -> Path:
    return folder / f"{service.name}.dump"


def _put_back(wiring: Wiring, service: ServiceSpec, dump: Path) -> None:
    """Everything that is there goes in the transaction that brings the dump.

    pg_restore's own --clean cannot drop tables that are partitioned.
    """
    with tempfile.NamedTemporaryFile(suffix=".sql") as script:
        _run(wiring, service, "pg_restore", "--no-owner", f"--file={script.name}", str(dump))
        _run(
            wiring,
            service,
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            "--command=DROP SCHEMA public CASCADE",
            "--command=CREATE SCHEMA public",
            f"--file={script.name}",
        )


def _run(wiring: Wiring, service: ServiceSpec, program: str, *arguments: str) -> None:
    """One of PostgreSQL's client programs on the service's database. Raises EmbeddedError with what it said."""
    where = environment_of(wiring.database_url(service))
    # the embedded PostgreSQL's own programs speak no TLS
    path = _own(program) if "PGSSLMODE" in where else str(_folder(wiring.installation) / program)
    done = subprocess.run(
        [path, *arguments], env={**os.environ, **where}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise EmbeddedError(f"{service.name}: {program} failed:\n{done.stderr.strip()}")


def environment_of(database_url: str) -> dict[str, str]:
    """An address as PostgreSQL's client programs take it, so that no password is on a command line."""
    place = urlsplit(database_url)
    tls = {f"PG{name.upper()}": value for name, value in parse_qsl(place.query) if name.startswith("ssl")}
    return tls | {
        "PGHOST": place.hostname or "",
        "PGPORT": str(place.port or 5432),
        "PGUSER": unquote(place.username or ""),
        "PGPASSWORD": unquote(place.password or ""),
        "PGDATABASE": place.path.removeprefix("/"),
    }


def _own(program: str) -> str:
    """Of the machine. Raises EmbeddedError."""
    found = shutil.which(program)
    if found is None:
        raise EmbeddedError(
            f"a database with TLS needs PostgreSQL's {program} on the PATH, as new as its server"
        )
    return found


def _folder(installation: Installation) -> Path:
    return find_programs(account_for(installation.data / "postgres"), home=installation.home).bin
