"""An embedded installation with traffic moves to Kafka: what was in its log, its outboxes and its positions goes on there."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from tests.chaos.log_reading import CONSUMED
from tests.e2e.installation import Installation, installed
from tests.e2e.restored import World, founded, until, until_exact, until_settled

from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.log.moving import partitions_of
from fairloop.log.port import TopicMismatchError, TopicPartition
from fairloop.services import SERVICES

pytestmark = [pytest.mark.timeout(300), pytest.mark.kafka]

PARTITIONS = partitions_of({topic.name: topic.partitions for topic in TOPICS.values()})


async def test_an_installation_goes_on_on_kafka_where_it_stopped(
    tmp_path: Path, prepared: Path, kafka: str
) -> None:
    await without_topics(kafka)
    with installed(tmp_path / "home", prepared=prepared) as installation:
        world = World(installation)
        await founded(world)
        await world.send(world.fresh(24))
        await until_settled(world)
        statement = await world.pay_a_bonus()
        await shortened(world)
        assert "is running" in refused(installation, "log", "move", kafka)

        await world.send([*world.fresh(40), *world.revised(list(world.fold.newest)[:8])])
        await world.close()
        installation.fairloop("down")  # with events on their way
        await killed_while_moving(installation, kafka)
        moved = installation.fairloop("log", "move", kafka)
        assert "survey.response.v1" in moved, moved
        (installation.home / "data/log.json").unlink()  # as if killed at the last moment
        installation.fairloop("log", "move", kafka)
        assert "already" in refused(installation, "log", "move", kafka)

        installation.fairloop("up")
        assert installation.state()["log_url"] == kafka
        await until_settled(world)
        assert "agree" in installation.fairloop("repair", "plan")
        await world.send([*world.fresh(16), *world.revised(list(world.fold.newest)[:8])])
        await world.erase(next(iter(world.fold.newest)))
        await until_exact(world)
        assert await world.statement("period-1") == statement
        assert not await parked(world)
        await world.close()


async def shortened(world: World) -> None:
    """The log loses its beginning, once everything in it has been said again behind."""
    topics = [topic for topic in TOPICS.values() if topic.producer == "attribution"]
    partitions = [TopicPartition(topic.name, part) for topic in topics for part in range(topic.partitions)]
    async with open_log(world.wiring.log_url) as event_log:
        before = await event_log.bounds(partitions)
        world.installation.fairloop("republish", "attribution")
        await until_settled(world)
        await until(lambda: unread(world, {partition: end for partition, (_, end) in before.items()}))
        await event_log.truncate({partition: end for partition, (_, end) in before.items()})


async def unread(world: World, ends: dict[TopicPartition, int]) -> list[object]:
    """Who has still to read what of this."""
    found: list[object] = []
    for service, topics in CONSUMED.items():
        rows = await world.rows(service, "SELECT topic, part, next_offset FROM consumer_pos")
        at = {TopicPartition(topic, part): offset for topic, part, offset in rows}
        found += [(service, p) for p, end in ends.items() if p.topic in topics and at.get(p, 0) < end]
    return found


async def killed_while_moving(installation: Installation, kafka: str) -> None:
    """kill -9 when the first records have arrived."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fairloop.cli", "log", "move", kafka), env=installation.environment
    )
    async with asyncio.timeout(60):
        while not await arrived(kafka):
            assert process.returncode is None
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def arrived(kafka: str) -> int:
    async with open_log(kafka) as target:
        try:
            return sum(end for _, end in (await target.bounds(PARTITIONS)).values())
        except TopicMismatchError:
            return 0


async def parked(world: World) -> list[object]:
    return [row for service in SERVICES for row in await world.rows(service, "SELECT * FROM parked_event")]


def refused(installation: Installation, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fairloop.cli", *command],
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


async def without_topics(kafka: str) -> None:
    """Other tests may have used this broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.removeprefix("kafka://"))
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic in TOPICS])

        async def left() -> set[str]:
            return TOPICS.keys() & set(await admin.list_topics())

        await until(left)
    finally:
        await admin.close()
