"""The embedded PostgreSQL by itself."""

import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from fairloop.embedded import EmbeddedError, PostgresServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres", password="p'w d/@:", log=tmp_path / "log", durable=False)
    server.start()
    yield server
    server.stop("immediate")


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_what_was_committed_survives_a_crash(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.admin_url())
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop("immediate")
    server.start()
    assert await ask(server.admin_url(), "SELECT one FROM kept") == 1


async def test_it_listens_on_this_machine_only_and_for_passwords_only(server: PostgresServer) -> None:
    assert await ask(server.admin_url(), "SHOW listen_addresses") == "127.0.0.1"
    assert await ask(server.admin_url(), "SHOW unix_socket_directories") == ""
    methods = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"
    assert await ask(server.admin_url(), methods) == "scram-sha-256"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url(password="guessed"))


async def test_a_temporary_server_is_the_only_one_that_trades_safety_for_speed(tmp_path: Path) -> None:
    durable = PostgresServer(tmp_path / "postgres", password="secret", log=tmp_path / "log")
    durable.start()
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(durable.admin_url(), f"SHOW {name}") == "on"
    finally:
        durable.stop()


async def test_the_port_stays_the_same_unless_it_is_taken(server: PostgresServer) -> None:
    port = server.port
    server.stop()
    server.start()
    assert server.port == port
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        server.start()
    assert server.port != port
    assert await ask(server.admin_url(), "SELECT 1") == 1


def test_another_holder_of_the_folder_finds_the_running_server(
    server: PostgresServer, tmp_path: Path
) -> None:
    other = PostgresServer(server.folder, password=server.password, log=tmp_path / "log", durable=False)
    assert (other.pid, other.port) == (server.pid, server.port)
    other.start()
    other.stop()
    assert not server.is_running


def test_a_lock_file_that_names_a_foreign_process_does_not_stop_the_start(server: PostgresServer) -> None:
    server.stop()
    (server.folder / "cluster" / "postmaster.pid").write_text(
        "1\n/somewhere\n0\n0\n\n127.0.0.1\n0 0\nready\n"
    )
    assert not server.is_running
    server.start()
    assert server.is_running


def test_a_first_start_that_was_interrupted_is_started_over(server: PostgresServer) -> None:
    server.stop()
    (server.folder / "cluster").rename(server.folder / "draft")
    (server.folder / "draft" / "PG_VERSION").unlink()
    server.start()
    assert server.is_running


async def test_a_role_gets_a_new_password_and_keeps_its_database(server: PostgresServer) -> None:
    await server.ensure_role_and_database("a role", "old")
    await ask(server.url("a role", role="a role", password="old"), "CREATE TABLE kept ()")
    await server.ensure_role_and_database("a role", "new")
    assert await ask(server.url("a role", role="a role", password="new"), "SELECT count(*) FROM kept") == 0
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url("a role", role="a role", password="old"))


def test_a_server_that_cannot_start_says_why(server: PostgresServer) -> None:
    server.stop()
    with (server.folder / "cluster" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        server.start()
