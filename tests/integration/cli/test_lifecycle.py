"""Starting, stopping, and what has to survive in between."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.integration.cli.launcher import Launcher, installation_in, server_of, wait_until

from fairloop.cli.installation import SERVICES, Installation
from fairloop.cli.vault import open_vault
from fairloop.embedded import PostgresServer
from fairloop.embedded.processes import is_alive
from fairloop.testing import temporary_database


def all_pids(launcher: Launcher) -> list[int]:
    """The supervisor's, the services' and PostgreSQL's."""
    processes = launcher.processes()
    postgres = server_of(launcher).pid
    assert postgres is not None
    return [processes.supervisor.pid, postgres, *(service.pid for service in processes.services.values())]


async def test_down_stops_everything_and_up_finds_the_data_again(launcher: Launcher) -> None:
    launcher.up()
    url = launcher.environment_of("bonus")["FAIRLOOP_DATABASE_URL"]
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()
    token = launcher.run("token", "--role", "ops").stdout
    pids = all_pids(launcher)

    assert launcher.run("down").returncode == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not launcher.installation.run_file.exists()

    launcher.up()
    assert launcher.environment_of("bonus")["FAIRLOOP_DATABASE_URL"] == url
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    await connection.close()
    again = open_vault(launcher.installation.data)
    assert launcher.environment_of("bonus")["FAIRLOOP_TOKEN_PUBLIC_KEY"] == again.token_public_key
    assert token


def test_down_without_up_is_no_error(launcher: Launcher) -> None:
    done = launcher.run("down")
    assert done.returncode == 0
    assert "was not running" in done.stdout


def test_a_killed_service_is_back_within_two_seconds(founded: Launcher) -> None:
    founded.up()
    for _ in range(3):
        gone = [founded.pid("closed-loop")]
        os.kill(gone[0], signal.SIGKILL)
        wait_until(partial(_has_another, founded, gone), 2)
        wait_until(lambda: answers(founded, "closed-loop"), 3)


def _has_another(founded: Launcher, gone: list[int]) -> bool:
    return founded.run_json()["pids"]["closed-loop"] not in (gone, [])


def test_a_killed_postgres_is_back(founded: Launcher) -> None:
    founded.up()
    server = server_of(founded)
    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: server.pid not in {None, before}, 20)
    assert founded.run("status").returncode == 0


def test_up_after_a_killed_supervisor_leaves_no_orphans(founded: Launcher) -> None:
    founded.up()
    supervisor, _, *orphans = all_pids(founded)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not is_alive(supervisor))
    assert all(is_alive(pid) for pid in orphans)

    founded.up()
    assert [pid for pid in orphans if is_alive(pid)] == []
    assert founded.run("status").returncode == 0


def test_down_after_a_killed_supervisor_stops_everything(founded: Launcher) -> None:
    founded.up()
    supervisor, *orphans = all_pids(founded)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not is_alive(supervisor))
    assert founded.run("down").returncode == 0
    assert [pid for pid in orphans if is_alive(pid)] == []


def test_a_foreign_process_with_a_recorded_pid_is_left_alone(founded: Launcher) -> None:
    founded.up()
    processes = founded.processes()
    founded.run("down")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as foreign:
        stale = str(processes.supervisor.pid).encode()
        record = b'{"supervisor":{"pid":%s,"stamp":"1"},"services":{"bonus":{"pid":%d,"stamp":"1"}}}'
        founded.installation.process_file.write_bytes(record % (stale, foreign.pid))
        assert founded.run("down").returncode == 0
        assert is_alive(foreign.pid)
        foreign.communicate(b"\n")


def test_a_taken_port_is_named_with_who_needs_it(launcher: Launcher) -> None:
    port = launcher.installation.port_base + 3
    with socket.create_server(("127.0.0.1", port)):
        done = launcher.run("up")
    assert done.returncode == 1
    assert f"port {port} (kpi-aggregator)" in done.stderr
    assert "FAIRLOOP_PORT_BASE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["migrate", "all"])
def test_a_service_that_does_not_start_is_quoted_and_nothing_stays(launcher: Launcher, command: str) -> None:
    done = launcher.run("up", STAND_IN_FAILS=f"bonus:{command}")
    assert done.returncode == 1
    assert "bonus has a reason to fail" in done.stderr
    assert str(launcher.installation.log_file("bonus")) in done.stderr
    assert not launcher.installation.run_file.exists()
    assert not server_of(launcher).is_running
    launcher.up()


def test_data_of_a_newer_version_is_refused(launcher: Launcher) -> None:
    launcher.installation.data.mkdir(parents=True)
    (launcher.installation.data / "version.json").write_text('{"data_version": 2}')
    done = launcher.run("up")
    assert done.returncode == 1
    assert "newer Fairloop" in done.stderr


def test_data_of_another_postgres_is_refused(founded: Launcher) -> None:
    (founded.installation.data / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")
    done = founded.run("up")
    assert done.returncode == 1
    assert "made by PostgreSQL 17" in done.stderr


def test_reset_stops_and_deletes(founded: Launcher) -> None:
    founded.up()
    pids = all_pids(founded)
    assert founded.run("reset", "--yes").returncode == 0
    assert not founded.installation.home.exists()
    assert [pid for pid in pids if is_alive(pid)] == []


def test_reset_leaves_a_folder_alone_that_is_not_ours(launcher: Launcher) -> None:
    treasure = launcher.installation.data / "treasure"
    treasure.mkdir(parents=True)
    assert launcher.run("reset", "--yes").returncode == 1
    assert treasure.exists()


@pytest.fixture
async def real_log(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of a log on a server that is not the installation's own."""
    async with temporary_database(postgres) as db:
        yield db.url


def test_real_servers_for_everything_need_no_postgres_of_ours(
    tmp_path: Path, stand_ins: Path, real_log: str
) -> None:
    databases = {service.database_variable: real_log for service in SERVICES}
    installation = installation_in(tmp_path / "home", stand_ins, FAIRLOOP_LOG_URL=real_log, **databases)
    launcher = Launcher(installation)
    launcher.up()
    try:
        assert not (installation.data / "postgres").exists()
        assert launcher.run_json()["log_url"] == real_log
        given = launcher.environment_of("kpi-aggregator")
        assert given["FAIRLOOP_DATABASE_URL"] == real_log
        assert not [name for name in given if name.startswith("FAIRLOOP_DATABASE_URL_")]
    finally:
        launcher.run("down")


def test_a_terminal_without_the_variables_operates_what_was_started_with_them(
    tmp_path: Path, stand_ins: Path, real_log: str
) -> None:
    with_variables = installation_in(tmp_path / "home", stand_ins, FAIRLOOP_LOG_URL=real_log)
    Launcher(with_variables).up()
    plain = Launcher(
        Installation.of(
            {
                k: v
                for k, v in with_variables.environment.items()
                if k not in {"FAIRLOOP_LOG_URL", "FAIRLOOP_PORT_BASE"}
            }
        )
    )
    try:
        assert plain.run("status").returncode == 0
    finally:
        assert plain.run("down").returncode == 0


def answers(launcher: Launcher, service: str) -> bool:
    try:
        return httpx.get(f"{launcher.run_json()['services'][service]}/readyz").is_success
    except httpx.TransportError:
        return False
