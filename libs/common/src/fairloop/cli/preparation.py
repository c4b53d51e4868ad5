"""What has to be there before the services can start: free ports, databases, tables, topics."""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, STDOUT

from fairloop.cli.installation import SERVICES, Installation, ServiceSpec
from fairloop.cli.keeper import service_command
from fairloop.cli.log_files import tail
from fairloop.cli.wiring import Wiring
from fairloop.db import Database
from fairloop.embedded import EmbeddedError
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.log.port import LogMovedError, LogUnavailableError, TopicMismatchError
from fairloop.migration_state import pending_migrations, revisions


def check_ports(installation: Installation) -> None:
    """Raises EmbeddedError that names every taken port and who needs it."""
    taken = [
        f"port {installation.port(service)} ({service.name})"
        for service in SERVICES
        if _is_taken(installation.port(service))
    ]
    if taken:
        raise EmbeddedError(
            f"already in use by another program: {', '.join(taken)}. Stop that program, or choose other ports: "
            f"FAIRLOOP_PORT_BASE={installation.port_base + 100} uses {installation.port_base + 101} and the next four"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


async def make_databases(wiring: Wiring) -> None:
    """Start the embedded PostgreSQL, when it is needed, and make what it has to hold."""
    if wiring.postgres is None:
        return
    await asyncio.to_thread(wiring.postgres.start)
    for name, password in wiring.embedded_databases().items():
        await wiring.postgres.ensure_role_and_database(name, password)


async def make_tables_and_topics(wiring: Wiring) -> None:
    """Run the migrations of each service that needs them, and create the topics, side by side.

    Raises EmbeddedError, in a group.
    """
    async with asyncio.TaskGroup() as group:
        for service in SERVICES:
            group.create_task(_migrate(wiring, service))
        group.create_task(_create_topics(wiring))


async def _migrate(wiring: Wiring, service: ServiceSpec) -> None:
    db = Database(wiring.database_url(service), pool_size=1)
    try:
        pending = await pending_migrations(service.package, db)
    except Exception as error:
        raise EmbeddedError(f"{service.name}: its database cannot be used: {error}") from error
    finally:
        await db.close()
    if pending is not None or not revisions(service.package):
        await _run(wiring, service, "migrate")


async def _create_topics(wiring: Wiring) -> None:
    try:
        async with open_log(wiring.log_url) as event_log:
            await event_log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
    except LogMovedError as error:
        raise EmbeddedError(
            f"this log was moved to {error}: set FAIRLOOP_LOG_URL to that address, or run `fairloop log move` again"
        ) from error
    except (LogUnavailableError, TopicMismatchError, ValueError) as error:
        raise EmbeddedError(f"the event log: {error}") from error


async def _run(wiring: Wiring, service: ServiceSpec, command: str) -> None:
    path = wiring.installation.log_file(service.name)
    with path.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *service_command(service.package, command),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=wiring.environment(service),
        )
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            raise
    if status != 0:
        raise EmbeddedError(f"{service.name}: `{command}` failed ({path}):\n{tail(path)}")
