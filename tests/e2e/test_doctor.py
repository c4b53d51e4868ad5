"""The doctor and a running installation: all is fine, then ten things are broken at once and each is named."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.e2e.installation import Installation, installed

from fairloop.cli.installation import Installation as Home
from fairloop.cli.installation import service_named
from fairloop.cli.reach import wiring_of
from fairloop.cli.wiring import Wiring
from fairloop.log import open_log
from fairloop.log.port import NewRecord, TopicPartition

pytestmark = pytest.mark.timeout(300)

PLANTED = {
    ("reachable", "broken", "kpi-aggregator"),
    ("halted partitions", "broken", "survey-intake"),
    ("outbox", "broken", "survey-intake"),
    ("parked keys", "look", "closed-loop"),
    ("upkeep", "look", "closed-loop"),
    ("databases", "broken", "bonus"),
    ("data version", "broken", "attribution"),
    ("data version", "broken", ""),
    ("topics", "broken", "bonus.run.v1"),
    ("cases without an owner", "look", "all"),
}


async def test_the_doctor_names_everything_that_is_planted(tmp_path: Path, prepared: Path) -> None:
    with installed(tmp_path / "home", prepared=prepared) as installation:
        await until(lambda: healthy(installation))
        wiring = wiring_of(Home.of(installation.environment))
        await leave_a_case_without_an_owner(installation)
        await halt_the_relay(installation, wiring)
        await park_a_key(wiring)
        await write(wiring, "closed-loop", "UPDATE job_run SET last_success_at = now() - interval '5 hours'")
        await shut_out(wiring, "bonus")
        await write(wiring, "attribution", "UPDATE alembic_version SET version_num = '0001'")
        await write(wiring, None, "UPDATE fairloop_log.topic SET partitions = 7 WHERE name = 'bonus.run.v1'")
        (installation.home / "data/version.json").write_text('{"data_version": 99}')
        keep_down(installation, "kpi-aggregator")
        await until(lambda: named(installation, PLANTED))


async def examined(installation: Installation) -> tuple[int, set[tuple[str, str, str]]]:
    """The command's status, and of each trouble its check, state and place."""
    doctor = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "fairloop.cli", "doctor", "--json"),
        env=installation.environment,
        stdout=subprocess.PIPE,
    )
    said, _ = await doctor.communicate()
    assert doctor.returncode is not None
    found = json.loads(said)["findings"]
    return doctor.returncode, {
        (one["check"], one["state"], one["where"]) for one in found if one["state"] != "fine"
    }


async def healthy(installation: Installation) -> object:
    status, found = await examined(installation)
    return (status, found) if status or found else None


async def named(installation: Installation, planted: set[tuple[str, str, str]]) -> object:
    """What is not found yet."""
    status, found = await examined(installation)
    assert status == 2
    return planted - found


async def until(left: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    """Until nothing is left of what was still missing; what it was is told when that does not come."""
    missing: object = None
    try:
        async with asyncio.timeout(seconds):
            while missing := await left():
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"still: {missing}")


async def answer(installation: Installation, score: int, *, minute: int) -> None:
    """One customer's answer, or its next revision, to a company that nobody has described."""
    at = datetime.now(UTC) - timedelta(days=1)
    body = {
        "connection": "doctor",
        "survey_id": "s",
        "response_id": "r",
        "submitted_at": at.isoformat(),
        "updated_at": (at + timedelta(minutes=minute)).isoformat(),
        "scores": {"nps": score},
    }
    async with installation.client("survey-intake") as client:
        taken = await client.post("/v1/responses", json=body)
    assert taken.status_code == 202, taken.text


async def leave_a_case_without_an_owner(installation: Installation) -> None:
    async with installation.client("survey-intake") as client:
        connection = {"platform": "fairloop", "survey_type": "transactional"}
        made = await client.put("/v1/connections/doctor", json=connection)
        assert made.is_success, made.text
    await answer(installation, 2, minute=0)

    async def missing() -> object:
        async with installation.client("closed-loop") as client:
            return not (await client.get("/v1/cases")).json()["items"]

    await until(missing)


async def halt_the_relay(installation: Installation, wiring: Wiring) -> None:
    """As after a restore: the database has forgotten what it sent. What is accepted then stays in the outbox."""
    await write(wiring, "survey-intake", "UPDATE outbox_head SET next_pseq = 1")
    os.kill(installation.pid("survey-intake"), signal.SIGTERM)

    async def missing() -> object:
        async with installation.client("survey-intake") as client:
            try:
                said: dict[str, Any] = (await client.get("/readyz")).json()
            except httpx.TransportError as error:
                return error
        return not said["halted"]

    await until(missing)
    await answer(installation, 3, minute=1)
    await write(wiring, "survey-intake", "UPDATE outbox SET created_at = created_at - interval '15 minutes'")


async def park_a_key(wiring: Wiring) -> None:
    """Something that no relay has sent stands in the log."""
    async with open_log(wiring.log_url) as log:
        producer = await log.producer()
        await producer.append({TopicPartition("directory.v1", 0): [NewRecord(b"somebody", b"{}")]})
        await producer.close()


async def shut_out(wiring: Wiring, service: str) -> None:
    """Its database takes no connection any more, and those it has end."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    await write(
        wiring,
        service,
        f"ALTER DATABASE {service} CONNECTION LIMIT 0",
        f"SELECT pg_terminate_backend(pid) {others}",
    )


async def write(wiring: Wiring, service: str | None, *statements: str) -> None:
    """Into a service's database, or the log's; each in a transaction of its own."""
    url = wiring.log_url if service is None else wiring.database_url(service_named(service))
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def keep_down(installation: Installation, service: str) -> None:
    Home.of(installation.environment).hold_file(service_named(service)).touch()
    os.kill(installation.pid(service), signal.SIGTERM)
