"""Each service can do what it needs on a real Kafka and a real PostgreSQL, and nothing else."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack

import asyncpg
import msgspec
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest
from tests.integration.log.workers import WITHIN, append, numbered, subscribed
from tests.integration.secure.broker import OPERATOR, SecureKafka
from typer.testing import CliRunner

from fairloop.access.kafka import Acl, acls_of, apply
from fairloop.cli.installation import SERVICES, ServiceSpec
from fairloop.cli.main import app
from fairloop.db import Database, sql
from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.embedded.account import account_for
from fairloop.embedded.programs import find_programs
from fairloop.events import EVENT_TYPES, TOPICS, EventData, Topic, consumed_by, produced_by
from fairloop.events.schemas import FOLDER
from fairloop.log import open_log
from fairloop.log.kafka_link import connection
from fairloop.log.port import Log, LogUnavailableError, TopicPartition
from fairloop.migrate import upgrade
from fairloop.outbox import publish
from fairloop.peers import peer_client
from fairloop.service import Runtime, load_service
from fairloop.testing import ENVIRONMENT
from fairloop.web.health import Health
from fairloop.worker import run_worker

PARTITIONS = {topic.name: topic.partitions for topic in TOPICS.values()}
NAMES = [service.package for service in SERVICES]
PASSWORD = "pass/word"
TOOL = 'kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add'


def fairloop(*arguments: str, **environment: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, arguments, env=environment)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
async def granted(kafka_with_locks: SecureKafka) -> SecureKafka:
    """With the topics, and with what `fairloop access kafka` gives; again is harmless."""
    url = kafka_with_locks.url(OPERATOR)
    async with open_log(url) as log:
        await log.create_topics(PARTITIONS)
    for _ in range(2):
        await asyncio.to_thread(fairloop, "access", "kafka", "--apply", FAIRLOOP_LOG_URL=url)
    return kafka_with_locks


def psql(server: PostgresServer, script: str, *, role: str = "postgres", password: str | None = None) -> None:
    folder = find_programs(account_for(server.folder)).bin
    url = server.url(role=role, password=password)
    done = subprocess.run(
        [folder / "psql", "--no-psqlrc", "--quiet", url],
        input=script,
        env={**os.environ, **{f"{name.upper()}_PASSWORD": PASSWORD for name in NAMES}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """With what `fairloop access postgres` makes; again is harmless."""
    with temporary_postgres() as running:
        for _ in range(2):
            psql(running, fairloop("access", "postgres"))
        yield running


def url_of(server: PostgresServer, role: str, database: str | None = None) -> str:
    return server.url(database or role, role=role, password=PASSWORD)


@pytest.mark.kafka
async def test_together_the_services_do_their_work_with_their_own_credentials(
    granted: SecureKafka, server: PostgresServer
) -> None:
    """Migrations, workers, relays and consumers: every example of every event goes from its producer to all readers."""
    async with AsyncExitStack() as stack:
        runtimes = {}
        for spec in SERVICES:
            service = load_service(spec.package)
            settings = service.settings.model_validate(
                ENVIRONMENT
                | {"database_url": url_of(server, spec.package), "log_url": granted.url(spec.name)}
            )
            db = Database(settings.database_url)
            stack.push_async_callback(db.close)
            await upgrade(service, db)
            runtimes[spec.name] = Runtime(settings=settings, db=db, peers=peer_client(settings))
        workers = await stack.enter_async_context(asyncio.TaskGroup())
        for spec in SERVICES:
            workers.create_task(run_worker(load_service(spec.package), runtimes[spec.name], Health()))
        for event in examples():
            async with runtimes[TOPICS[event.topic].producer].db.begin() as session:
                await publish(session, [event])
        await asyncio.gather(*(has_read(spec, runtimes[spec.name].db) for spec in SERVICES))
        for runtime in runtimes.values():
            runtime.stopping.set()


def examples() -> list[EventData]:
    found = sorted((FOLDER / "examples").glob("*.json"))
    types = [
        next(EVENT_TYPES[name] for name in EVENT_TYPES if path.name.startswith(f"{name}.")) for path in found
    ]
    return [
        msgspec.json.decode(path.read_bytes(), type=kind) for path, kind in zip(found, types, strict=True)
    ]


async def has_read(spec: ServiceSpec, db: Database) -> None:
    """Until its outbox is empty and it has taken something of every topic that it reads."""
    wanted = {topic.name for topic in consumed_by(spec.name)}
    async with asyncio.timeout(WITHIN):
        while True:
            async with db.begin() as session:
                left = await sql(session, "SELECT 1 FROM outbox LIMIT 1")
                read = {
                    row[0]
                    for row in await sql(session, "SELECT topic FROM consumer_pos WHERE next_offset > 0")
                }
            if not left and read == wanted:
                return
            await asyncio.sleep(0.05)


@pytest.mark.kafka
async def test_a_topic_is_written_by_its_producer_and_by_nobody_else(granted: SecureKafka) -> None:
    async def trouble(spec: ServiceSpec, topic: Topic) -> str:
        async with open_log(granted.url(spec.name)) as log:
            try:
                await append(log, {TopicPartition(topic.name, 0): numbered(0, 1)})
            except LogUnavailableError as error:
                return str(error)
        return ""

    pairs = [(spec, topic) for spec in SERVICES for topic in TOPICS.values()]
    troubles = await asyncio.gather(*(trouble(spec, topic) for spec, topic in pairs))
    by = {(spec.name, topic.name) for (spec, topic), said in zip(pairs, troubles, strict=True) if not said}
    assert all("TopicAuthorizationFailed" in said for said in troubles if said)
    assert by == {(topic.producer, topic.name) for topic in TOPICS.values()}
    assert ("attribution", "survey.response.v1") not in by


@pytest.mark.kafka
async def test_a_topic_is_read_by_its_producer_and_its_consumers_and_by_nobody_else(
    granted: SecureKafka,
) -> None:
    codes = await asyncio.gather(*(fetch_codes(granted.url(spec.name)) for spec in SERVICES))
    assert {spec.name: found for spec, found in zip(SERVICES, codes, strict=True)} == {
        spec.name: {
            topic.name: 0
            if spec.name in {topic.producer, *topic.consumers}
            else TopicAuthorizationFailedError.errno
            for topic in TOPICS.values()
        }
        for spec in SERVICES
    }


async def fetch_codes(url: str) -> dict[str, int]:
    """Topic → what a broker says when it is asked for its records straight away."""
    client = AIOKafkaClient(**connection(url))
    try:
        await client.bootstrap()
        asked = [(name, [(0, 0, 1000)]) for name in PARTITIONS]
        answer = await client.send(client.get_random_node(), FetchRequest(10, 1, 1000, 1, asked))
    finally:
        await client.close()
    return {name: code for name, [(_, code, *_)] in answer.topics}


@pytest.mark.kafka
async def test_a_service_has_the_group_of_its_name_and_runs_nothing(granted: SecureKafka) -> None:
    async with AsyncExitStack() as stack:
        logs = {
            spec.name: await stack.enter_async_context(open_log(granted.url(spec.name))) for spec in SERVICES
        }

        async def takes_part(name: str, log: Log) -> None:
            topic = consumed_by(name)[0].name
            async with subscribed(log, name, topic) as subscription:
                await subscription.commit({TopicPartition(topic, 0): 1})
            assert await log.committed(name, [TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 1}
            for group in logs.keys() - {name}:
                await refused(log.committed(group, [TopicPartition(topic, 0)]))

        async def runs_nothing(name: str, log: Log) -> None:
            await refused(log.create_topics({f"{name}.own.v1": 1}))
            await refused(log.truncate({TopicPartition(produced_by(name)[0].name, 0): 1}))

        await asyncio.gather(
            *(takes_part(name, log) for name, log in logs.items() if consumed_by(name)),
            *(runs_nothing(name, log) for name, log in logs.items()),
        )


async def refused(attempt: Awaitable[object]) -> None:
    with pytest.raises(LogUnavailableError, match="AuthorizationFailed"):
        await attempt


@pytest.mark.kafka
async def test_no_service_gives_itself_more(granted: SecureKafka) -> None:
    more = [Acl("User:attribution", "topic", "survey.response.v1", "Write")]
    with pytest.raises(LogUnavailableError, match="ClusterAuthorizationFailed"):
        await apply(granted.url("attribution"), more)


async def test_a_role_reaches_its_own_database_and_no_other(server: PostgresServer) -> None:
    for role in NAMES:
        own = await asyncpg.connect(url_of(server, role))
        assert await own.fetchval("SELECT current_database()") == role
        for statement in (
            f"CREATE ROLE more_{role}",
            f"CREATE DATABASE more_{role}",
            f"ALTER ROLE {role} SUPERUSER",
            "SELECT * FROM pg_authid",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            *(f"SET ROLE {other}" for other in (*NAMES, "postgres") if other != role),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await own.execute(statement)
        await own.close()
        for database in (*NAMES, "postgres", "template1"):
            if database != role:
                with pytest.raises(
                    asyncpg.InsufficientPrivilegeError, match="permission denied for database"
                ):
                    await asyncpg.connect(url_of(server, role, database))


async def test_an_administrator_who_is_no_superuser_can_make_them_too() -> None:
    """As clouds have it."""
    with temporary_postgres() as running:
        psql(running, f"CREATE ROLE cloud LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
        for _ in range(2):
            psql(running, fairloop("access", "postgres"), role="cloud", password=PASSWORD)
        own = await asyncpg.connect(url_of(running, "attribution"))
        await own.execute("CREATE TABLE public.mine ()")
        await own.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
            await asyncpg.connect(url_of(running, "attribution", "survey_intake"))


def test_printed_acls_are_those_that_are_applied() -> None:
    printed = fairloop("access", "kafka", "--principal", "User:CN={service},O=Example Ltd")
    lines = [line for line in printed.splitlines() if line.startswith("kafka-acls.sh")]
    assert sum(line.count("--operation") for line in lines) == sum(
        len(acls_of(spec.name, "")) for spec in SERVICES
    )
    assert [line for line in lines if "--topic survey.response.v1" in line] == [
        f"{TOOL} --allow-principal 'User:CN=survey-intake,O=Example Ltd' --operation Read --operation Write"
        " --topic survey.response.v1",
        f"{TOOL} --allow-principal 'User:CN=attribution,O=Example Ltd' --operation Read --topic survey.response.v1",
    ]
    subprocess.run(["sh", "-n"], input=printed, text=True, check=True)
