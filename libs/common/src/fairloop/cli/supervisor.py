"""The background process of an installation: starts everything, keeps it running, stops it on SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fairloop.auth import Role
from fairloop.cli import progress
from fairloop.cli.data_version import claim_data_folder
from fairloop.cli.installation import SERVICES, Installation
from fairloop.cli.keeper import Keeper
from fairloop.cli.log_files import keep_small
from fairloop.cli.preparation import check_ports, make_databases, make_tables_and_topics
from fairloop.cli.readiness import wait_until_ready
from fairloop.cli.records import (
    Processes,
    load_processes,
    only_one,
    process,
    save_processes,
    stop_orphans,
    write_run_file,
)
from fairloop.cli.vault import open_vault
from fairloop.cli.wiring import Wiring, wire
from fairloop.embedded import EmbeddedError

log = logging.getLogger(__name__)


async def supervise(installation: Installation) -> None:
    """Runs until cancelled. Raises EmbeddedError (in a group, once services run) when the start fails."""
    with only_one(installation):
        claim_data_folder(installation.data)
        wiring = wire(installation, open_vault(installation.data))
        clear_away(installation)
        check_ports(installation)
        records = Records(wiring)
        try:
            async with databases(wiring):
                progress.tell(progress.Step("bringing tables and topics up to date"))
                await make_tables_and_topics(wiring)
                await run_services(wiring, records)
        finally:
            records.delete()


class Records:
    """Keeps `run.json` and the launcher's own notes true while processes come and go."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._announced = False
        self._admin = wiring.token("admin", Role.ADMIN)
        self.keepers: list[Keeper] = []
        self.write()

    def announce(self) -> None:
        """The services are ready: from now on others may find them."""
        self._announced = True
        self.write()

    def write(self) -> None:
        """A full disk must not end what runs: the files then stay behind, and the log says so."""
        installation = self._wiring.installation
        pids = {keeper.service.name: keeper.pid for keeper in self.keepers}
        services = {name: process(pid) for name, pid in pids.items() if pid is not None}
        given = {k: v for k, v in installation.environment.items() if k.startswith("FAIRLOOP_")}
        try:
            save_processes(
                installation, Processes(supervisor=process(os.getpid()), services=services, environment=given)
            )
            if self._announced:
                write_run_file(
                    installation,
                    tokens={"admin": self._admin},
                    log_url=self._wiring.log_url,
                    pids={name: [pid] if pid is not None else [] for name, pid in pids.items()},
                )
        except OSError:
            log.exception("run.json could not be written")

    def delete(self) -> None:
        self._wiring.installation.run_file.unlink(missing_ok=True)
        self._wiring.installation.process_file.unlink(missing_ok=True)


def clear_away(installation: Installation) -> None:
    """Stop what a supervisor that was killed left running. An embedded PostgreSQL goes on as it is."""
    before = load_processes(installation)
    if before is not None and (orphans := stop_orphans(before)):
        log.warning("stopped what an earlier supervisor had left running: %s", ", ".join(orphans))
    installation.run_file.unlink(missing_ok=True)
    for service in SERVICES:  # a restore that was killed has changed nothing
        installation.hold_file(service).unlink(missing_ok=True)


@asynccontextmanager
async def databases(wiring: Wiring) -> AsyncIterator[None]:
    try:
        progress.tell(progress.Step("starting PostgreSQL" if wiring.postgres else "using real servers"))
        await make_databases(wiring)
        yield
    finally:
        if wiring.postgres is not None:
            await asyncio.to_thread(wiring.postgres.stop)


async def run_services(wiring: Wiring, records: Records) -> None:
    progress.tell(progress.Step("starting the five services"))
    records.keepers = [
        Keeper(
            service,
            environment=partial(wiring.environment, service),
            output=wiring.installation.log_file(service.name),
            changed=records.write,
            held=wiring.installation.hold_file(service).exists,
        )
        for service in SERVICES
    ]
    async with asyncio.TaskGroup() as group:
        for keeper in records.keepers:
            group.create_task(keeper.run())
        await wait_until_ready(wiring.installation, records.keepers)
        records.announce()
        log.info("ready")
        progress.tell(progress.Ready())
        progress.hang_up()
        group.create_task(keep_small(wiring.installation.logs))
        group.create_task(keep_postgres(wiring, records.keepers))


async def keep_postgres(wiring: Wiring, keepers: list[Keeper]) -> None:
    """Start the embedded PostgreSQL again when it has ended."""
    postgres = wiring.postgres
    while postgres is not None:
        await asyncio.sleep(0.5)
        if postgres.is_running:
            continue
        port = postgres.port
        log.warning("PostgreSQL ended; starting it again")
        try:
            await asyncio.to_thread(postgres.start)
        except EmbeddedError as error:
            log.warning("%s", error)
            continue
        if postgres.port != port:
            for keeper in keepers:
                keeper.restart()


def failure_in(error: BaseException) -> EmbeddedError | None:
    """What a person should read, wherever in nested groups of errors it is."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(failure_in, error.exceptions)), None)
    return error if isinstance(error, EmbeddedError) else None


async def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    task = asyncio.create_task(supervise(Installation.of()))

    def stop() -> None:
        if not task.cancelling():  # a second signal must not cut the stopping short
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    except BaseException as error:
        failure = failure_in(error)
        if failure is None:
            raise
        log.error("%s", failure)
        progress.tell(progress.Failed(str(failure)))
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
