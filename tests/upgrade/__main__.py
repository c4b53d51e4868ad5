"""`make upgrade-check`: is an upgrade from an older version a thing nobody notices?

`python -m tests.upgrade [REVISION]`: five services of the revision (default: the last one before the newest
migration) work under traffic. Their databases are migrated below them. Then service by service a process of what lies
here is started beside the old one, both work for a while, and the old one is stopped, readers before writers. In the
end nothing is lost and nothing was counted twice. Both versions run on the packages installed here.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from tests.chaos import check_log
from tests.chaos.caller import Caller
from tests.chaos.evidence import Evidence
from tests.chaos.log_reading import read_log
from tests.chaos.stand import Stand
from tests.e2e.installation import Installation
from tests.e2e.restored import World, founded, until, until_exact
from tests.e2e.traffic import interactions
from tests.fault.checks import keep_committed
from tests.upgrade.fleet import Fleet, fleet_in
from tests.upgrade.traffic import Traffic
from tests.upgrade.versions import (
    NoHistoryError,
    Version,
    before_the_newest_migration,
    this_version,
    version_at,
)

from fairloop.auth import Role
from fairloop.db import Database
from fairloop.embedded import temporary_postgres
from fairloop.services import SERVICES

BESIDE = 30
"""Answers taken while both versions of a service are at work."""
CHECKS = (
    check_log.nothing_parked_or_halted,
    check_log.every_number_once_and_in_order,
    check_log.the_log_holds_what_was_committed,
    check_log.receipts_are_the_events_of_the_log,
    check_log.every_version_once_and_in_order,
)


async def upgrade(fleet: Fleet, old: Version, new: Version) -> None:
    """Raises AssertionError, or fails as pytest does, when anything is not as it must be."""
    await asyncio.gather(*(fleet.run(service, old, "migrate") for service in SERVICES))
    await fleet.run("survey-intake", old, "topics")
    for service in SERVICES:
        await _remember_what_commits(fleet.database(service))
    await asyncio.gather(*(fleet.start(service, old) for service in SERVICES))
    print("five services of the old version are ready")
    world = World(cast(Installation, fleet))  # a fleet has what is asked of one here
    await founded(world)
    for jobs in interactions():
        await world.ask("attribution", "POST", "/v1/interactions", interactions=jobs)
    traffic = Traffic(fleet, world)
    async with traffic.flowing():
        await _taken(traffic, BESIDE)
        statement = await world.pay_a_bonus()
        for service in SERVICES:
            await fleet.run(service, new, "migrate")
        print("the databases are migrated, the old version works on")
        for service in reversed(SERVICES):  # who reads goes before who writes
            [leaving] = fleet.instances[service]
            await fleet.start(service, new)
            await _taken(traffic, BESIDE)
            seconds = await fleet.retire(leaving)
            print(f"{service}: both versions at work, then the old one ended within {seconds:.1f} s")
        await _taken(traffic, BESIDE)
    await until_exact(world)
    assert await world.statement("period-1") == statement
    await _nothing_lost_nothing_twice(fleet, world)
    await world.close()
    print(
        f"{traffic.accepted} deliveries taken, {traffic.again} of them asked for again, everything counted once"
    )


async def _taken(traffic: Traffic, more: int) -> None:
    wanted = traffic.accepted + more

    async def missing() -> int:
        return max(0, wanted - traffic.accepted)

    await until(missing)


async def _remember_what_commits(url: str) -> None:
    database = Database(url, pool_size=1)
    await keep_committed(database)
    await database.close()


async def _nothing_lost_nothing_twice(fleet: Fleet, world: World) -> None:
    token = world.wiring.token("admin", Role.ADMIN)
    async with Caller({service: fleet.url(service) for service in SERVICES}, token) as caller:
        log = await read_log(fleet.log_url)
        evidence = Evidence(cast(Stand, fleet), caller, datetime.now(UTC), [], log, [])
        for check in CHECKS:
            wrong = await check(evidence)
            assert not wrong, wrong


async def main(revision: str | None) -> int:
    folder = Path(tempfile.mkdtemp(prefix="fairloop-upgrade-"))
    try:
        old = version_at(revision or before_the_newest_migration(), folder / "old")
    except NoHistoryError as error:
        print(f"upgrade: {error}" if revision else f"upgrade: SKIPPED, {error}")
        return 2 if revision else 0
    new = this_version()
    print(
        f"from: {old.name}\nto: {new.name}, with {len(new.migrations() - old.migrations())} more migrations"
    )
    with temporary_postgres() as postgres:
        async with fleet_in(folder, postgres, os.environ) as fleet:
            try:
                await upgrade(fleet, old, new)
            except BaseException:
                print(f"what the services wrote is in {folder}", file=sys.stderr)
                raise
    shutil.rmtree(folder)
    print("upgrade: fine")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
