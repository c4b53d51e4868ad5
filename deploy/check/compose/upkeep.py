"""What an operator does to a running installation, by the commands of docs/deploy.md. All raise RuntimeError."""

from pathlib import Path

from deploy.check.compose.installation import PROCESSES, Installation

from fairloop import __version__
from fairloop.cli.installation import SERVICES, service_named

NEXT = f"{__version__}-next"
"""The same code under another version's name."""
WORKERS = [f"{service.name}-worker" for service in SERVICES]


def upgrade(running: Installation) -> str:
    newer = running.at_version(NEXT)
    newer.compose("build")
    newer.up()
    return _all_run(running, NEXT)


def roll_back(running: Installation) -> str:
    newer = {container["Config"]["Image"] for container in running.containers(*PROCESSES)}
    running.up()
    running.docker("image", "rm", *newer)
    return _all_run(running, __version__)


def _all_run(running: Installation, version: str) -> str:
    images = [container["Config"]["Image"] for container in running.containers(*PROCESSES)]
    if not all(image.endswith(f":{version}") for image in images):
        raise RuntimeError(f"not all run {version}: {images}")
    return f"{len(images)} processes replaced"


def back_up(running: Installation, folder: Path) -> str:
    """One dump a database, while everything runs."""
    for service in SERVICES:
        dump = folder / f"{service.package}.dump"
        running.pipe("exec", "-T", "postgres", "pg_dump", "-Fc", service.package, out=dump)
    return ", ".join(f"{dump.name} {dump.stat().st_size / 1000:.0f} kB" for dump in sorted(folder.iterdir()))


def restore(running: Installation, name: str, folder: Path) -> None:
    """One service's database back to its dump; what it has forgotten since comes back from the log."""
    database = service_named(name).package
    statements = folder / f"{database}.sql"
    running.compose("stop", f"{name}-api", f"{name}-worker")
    reading = ("exec", "-T", "postgres", "pg_restore", "--no-owner", "-f", "-")
    running.pipe(*reading, into=folder / f"{database}.dump", out=statements)
    emptying = ("-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public")
    psql = ("psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", database, *emptying, "-f", "-")
    running.pipe(
        "exec", "-T", "-e", f"PGOPTIONS=-c role={database}", "postgres", *psql, into=statements, out=None
    )
    for worker in WORKERS:
        running.compose("run", "--rm", "--no-deps", worker, "repair", "run")
    running.compose("restart", *WORKERS)
    running.up()


def scale(running: Installation, name: str, count: int) -> str:
    running.up(f"--scale={name}={count}")
    found = len(running.containers(name))
    if found != count:
        raise RuntimeError(f"{found} of {name} run, not {count}")
    return f"{count} of {name}"
