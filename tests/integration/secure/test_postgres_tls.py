"""TLS to a real PostgreSQL, by the address alone: the same for every connection that a service opens."""

import os
import ssl
import subprocess
from pathlib import Path

import asyncpg
import pytest
import trustme
from sqlalchemy.exc import DBAPIError
from tests.integration.log.workers import numbered
from tests.integration.secure.broker import Papers
from tests.integration.secure.postgres import CERTIFIED, SecurePostgres

from fairloop.cli.backup import environment_of
from fairloop.db import Database, is_transient, sql
from fairloop.embedded import PostgresServer
from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, TopicPartition

IS_ENCRYPTED = "SELECT ssl AND usename = $1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()"


async def encrypted(url: str, role: str = "postgres") -> bool:
    """Whether a connection of the pool's is; raises what keeps it from being made."""
    db = Database(url, pool_size=1)
    try:
        async with db.begin() as session:
            return bool((await sql(session, IS_ENCRYPTED, role))[0][0])
    finally:
        await db.close()


async def test_the_pool_and_the_log_come_by_tls(postgres_with_locks: SecurePostgres) -> None:
    url = postgres_with_locks.url(postgres_with_locks.verified)
    assert await encrypted(url)
    partition = TopicPartition("sealed", 0)
    async with open_log(url) as log:
        await log.create_topics({"sealed": 1})
        producer = await log.producer()
        await producer.append({partition: numbered(0, 2)})
        await producer.close()
        assert [record.value for record in await log.read(partition, 0, max_records=9)] == [b"0", b"1"]


async def test_a_certificate_stands_for_a_password(
    postgres_with_locks: SecurePostgres, roles_papers: Papers
) -> None:
    admin = await asyncpg.connect(postgres_with_locks.url(postgres_with_locks.verified))
    await admin.execute(f"CREATE ROLE {CERTIFIED} LOGIN")
    await admin.close()
    place = f"postgresql://{CERTIFIED}@localhost:{postgres_with_locks.port}/postgres"
    verified = f"{place}?{postgres_with_locks.verified}"
    assert await encrypted(
        f"{verified}&sslcert={roles_papers.certificate}&sslkey={roles_papers.key}", CERTIFIED
    )
    with pytest.raises(DBAPIError, match="requires a valid client certificate"):
        await encrypted(verified)


async def test_a_server_that_cannot_prove_its_name_is_not_talked_to(
    postgres_with_locks: SecurePostgres, postgres: PostgresServer, tmp_path: Path
) -> None:
    secure = postgres_with_locks
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    other = f"sslmode=verify-full&sslrootcert={tmp_path / 'other.pem'}"
    for url in (secure.url(other), secure.url(secure.verified, host="127.0.0.1")):
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            await encrypted(url)
        assert is_transient(refused.value)  # services wait, and say so
        with pytest.raises(LogUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            async with open_log(url):
                pass
    with pytest.raises(ConnectionError, match="SSL"):  # one that has no TLS at all
        await encrypted(f"{postgres.admin_url()}?{secure.verified}")
    with pytest.raises(DBAPIError, match="no encryption"):
        await encrypted(secure.url("sslmode=disable"))


def test_backups_come_by_tls_too(postgres_with_locks: SecurePostgres) -> None:
    secure = postgres_with_locks

    def dump(url: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [secure.bin / "pg_dump", "--schema-only"],
            env={**os.environ, **environment_of(url)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert dump(secure.url(secure.verified)).returncode == 0
    assert "does not match host name" in dump(secure.url(secure.verified, host="127.0.0.1")).stderr
