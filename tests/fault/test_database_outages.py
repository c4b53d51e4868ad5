"""Databases that crash, answer nobody, lose an answer, or have no room left."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from tests.fault.conftest import on_either_log
from tests.fault.logs import LogUnderTest
from tests.fault.pair import Pair, open_pair
from tests.fault.processes import Nursery, until
from tests.fault.proxy import Direction, Proxy
from tests.form import LONG

from fairloop.embedded import PostgresServer

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def fragile(
    nursery: Nursery, tmp_path: Path, postgres: PostgresServer, crashable: PostgresServer, log: LogUnderTest
) -> AsyncIterator[Pair]:
    """A pair whose consumer has its database on a server that may crash."""
    crashable.start()
    async with open_pair(nursery, tmp_path, postgres, log.url, consumers_postgres=crashable) as opened:
        yield opened
        crashable.start()


@pytest.mark.fault(8)
@on_either_log
async def test_a_database_that_crashes_in_the_middle_of_a_commit_leaves_all_of_a_batch_or_nothing(
    fragile: Pair, crashable: PostgresServer
) -> None:
    await fragile.sell()
    async with Proxy() as proxy:
        await fragile.count(database_url=proxy.url(fragile.consumer_db.url))
        async with fragile.traffic.flowing(fragile.url):
            for round_number in range(1, 10 if LONG else 4):
                await fragile.applied(round_number * 20)
                committing = asyncio.Event()
                server = crashable.pid
                assert server is not None

                def crash(
                    direction: Direction,
                    piece: bytes,
                    committing: asyncio.Event = committing,
                    server: int = server,
                ) -> bool:
                    if direction == "to server" and b"COMMIT" in piece and not committing.is_set():
                        os.kill(server, signal.SIGQUIT)  # pg_ctl stop -m immediate
                        committing.set()
                    return True

                proxy.tap = crash
                await committing.wait()
                await asyncio.to_thread(crashable.stop, "immediate")
                await asyncio.to_thread(crashable.start)
                await fragile.consumer_db.close()
        await fragile.check()


@pytest.mark.fault("lost answer")
@on_either_log
async def test_an_answer_lost_after_commit_repeats_nothing(pair: Pair) -> None:
    async with Proxy() as sellers, Proxy() as counters:
        await pair.sell(database_url=sellers.url(pair.producer_db.url))
        await pair.count(database_url=counters.url(pair.consumer_db.url))
        async with pair.traffic.flowing(pair.url):
            await pair.applied(20)
            lost = sellers.lose_answer(times=20), counters.lose_answer(times=20)
            for event in lost:
                await event.wait()
        assert pair.traffic.repeats > 0, "no request lost its answer"
        await pair.check()


PARTED_SECONDS = 70 if LONG else 6
"""In the long form longer than a consumer waits before it ends itself, for its supervisor to start another."""


@pytest.mark.fault("partition")
@on_either_log
async def test_a_network_partition_between_services_and_their_databases_heals_without_a_trace(
    pair: Pair,
) -> None:
    async with Proxy() as sellers, Proxy() as counters:
        await pair.sell(database_url=sellers.url(pair.producer_db.url))
        counter = await pair.count(database_url=counters.url(pair.consumer_db.url))
        async with pair.traffic.flowing(pair.url, size=3, pause=0.1):
            for proxy in (sellers, counters):
                await pair.applied()
                proxy.hold()
                await asyncio.sleep(PARTED_SECONDS)
                proxy.heal()
                if proxy is counters and LONG:
                    await counter.gone()
                    assert "records wait and nothing moves" in counter.output.read_text()
                    await pair.count(database_url=counters.url(pair.consumer_db.url))
                for fault in (proxy.cut, proxy.half_close):
                    await pair.applied()
                    fault()
                    await asyncio.sleep(0.5)
                    proxy.heal()
        await pair.check()


@contextmanager
def small_disk(owner: int, megabytes: int) -> Iterator[Path]:
    """A file system of its own that soon has no room left."""
    with tempfile.TemporaryDirectory(prefix="fairloop-small-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # the database's user comes through here
        options = f"size={megabytes}m,mode=0700,uid={owner}"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.fault("disk full")
@on_either_log
async def test_a_full_disk_under_a_database_stops_its_service_and_loses_nothing(
    fragile: Pair, crashable: PostgresServer
) -> None:
    name = fragile.consumer_db.url.rpartition("/")[2]
    with small_disk(crashable.folder.stat().st_uid, 48) as disk:
        await fragile.consumer_db.close()
        await _run(crashable, f"CREATE TABLESPACE small LOCATION '{disk}'")
        await _run(crashable, f'ALTER DATABASE "{name}" SET TABLESPACE small')
        try:
            await fragile.sell()
            consumer = await fragile.count()
            async with fragile.traffic.flowing(fragile.url, size=50):
                await fragile.applied(100)
                ballast = disk / "ballast"
                with ballast.open("wb") as file:
                    _fill(file.fileno())

                async def refused() -> bool:
                    return any(
                        "space" in line["error"] for line in consumer.said("batch_failed", transient=True)
                    )

                await until(refused, "the consumer is told that there is no room")
                await asyncio.sleep(2)
            await asyncio.sleep(60 if LONG else 0)  # without traffic: all of it has to fit in the end
            ballast.unlink()
            await fragile.check()
        finally:
            await consumer.kill()
            await fragile.consumer_db.close()
            await _run(crashable, f'ALTER DATABASE "{name}" SET TABLESPACE pg_default')
            await _run(crashable, "DROP TABLESPACE small")


def _fill(descriptor: int) -> None:
    """Write until nothing more fits."""
    for size in (1 << 20, 1 << 12):
        try:
            while os.write(descriptor, bytes(size)):
                pass
        except OSError:
            continue


async def _run(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.admin_url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
