"""What has to be there before the services can start: free ports, databases, tables, topics."""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, STDOUT

from fairloop.cli.installation import SERVICES, Installation, ServiceSpec
from fairloop.cli.keeper import service_command
from fairloop.cli.log_files import tail
from fairloop.cli.wiring import Wiring
from fairloop.embedded import EmbeddedError


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
    """Run each service's migrations, and create the topics, side by side. Raises EmbeddedError."""
    async with asyncio.TaskGroup() as group:
        for service in SERVICES:
            group.create_task(_run(wiring, service, "migrate"))
        group.create_task(_run(wiring, SERVICES[0], "topics"))


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
