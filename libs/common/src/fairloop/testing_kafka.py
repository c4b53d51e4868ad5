"""A real Apache Kafka for tests: n KRaft brokers as child processes on free ports of 127.0.0.1.

The jars are copied by Maven from `deploy/kafka/pom.xml` into `.cache/kafka` of the checkout, once. Where Java or
Maven are missing, root on a Debian installs them; elsewhere `FAIRLOOP_TEST_KAFKA=kafka://host:port` names a running
broker, or everything that needs Kafka fails with a RuntimeError.
"""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

CHECKOUT = Path(__file__).resolve().parents[4]
POM = CHECKOUT / "deploy/kafka/pom.xml"
JARS = CHECKOUT / ".cache/kafka"
PROBE = "readiness-probe"
READY_SECONDS = 180.0

DEBIAN_PACKAGES = ("maven", "default-jre-headless")
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(slots=True)
class Broker:
    """One broker; `process` is None while it is down."""

    number: int
    port: int
    controller_port: int
    folder: Path
    detours: tuple[tuple[int, int], ...] = ()
    """Further listeners: (port it listens on, port it tells clients to come to)."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Path:
        return self.folder / "server.properties"


class KafkaCluster:
    """`async with KafkaCluster(folder, brokers=3) as cluster:` runs brokers 1..n with their data under `folder`.

    Clients go where brokers tell them, so a proxy between the two needs a listener of its own: each of `detours`
    has one port per broker, at which a proxy to that broker's `detours[i][0]` is to listen. `settings`,
    set before it is entered, are added to every broker's or stand in their place; `format_arguments` are for Kafka's
    storage tool.
    """

    def __init__(self, folder: Path, *, brokers: int = 1, detours: Sequence[Sequence[int]] = ()) -> None:
        self.settings: Mapping[str, str] = {}
        self.format_arguments: Sequence[str] = ()
        each = 2 + len(detours)
        ports = free_ports(each * brokers)
        self.brokers = []
        for number in range(1, brokers + 1):
            port, controller_port, *others = ports[each * (number - 1) : each * number]
            told = [advertised[number - 1] for advertised in detours]
            self.brokers.append(
                Broker(
                    number,
                    port,
                    controller_port,
                    folder / f"broker-{number}",
                    tuple(zip(others, told, strict=True)),
                )
            )

    @property
    def url(self) -> str:
        return "kafka://" + ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def detour_url(self, detour: int) -> str:
        """The address of the cluster for clients that are to come by this detour."""
        return "kafka://" + ",".join(f"127.0.0.1:{broker.detours[detour][1]}" for broker in self.brokers)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            undo.callback(self.stop)
            await asyncio.to_thread(self.format)
            for broker in self.brokers:
                self.start(broker.number)
            await self.wait_ready()
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def format(self) -> None:
        """Write each broker's settings and format its data folder, all with one new cluster id."""
        require_java_and_maven()
        jars = find_jars()
        cluster_id = urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        running = []
        for broker in self.brokers:
            broker.folder.mkdir(parents=True)
            broker.settings.write_text(self._properties(broker))
            command = [
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster_id}",
                "-c",
                str(broker.settings),
                *self.format_arguments,
            ]
            with (broker.folder / "format.log").open("wb") as log:
                running.append(subprocess.Popen(java(jars, *command), stdout=log, stderr=log))
        for broker, process in zip(self.brokers, running, strict=True):
            if process.wait() != 0:
                raise RuntimeError(f"formatting failed:\n{(broker.folder / 'format.log').read_text()}")

    def start(self, number: int) -> None:
        """Start a broker that is down; returns at once."""
        broker = self.brokers[number - 1]
        assert broker.process is None, f"broker {number} runs already"
        with (broker.folder / "server.log").open("ab") as log:
            broker.process = subprocess.Popen(
                java(find_jars(), *JVM, "kafka.Kafka", str(broker.settings)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, number: int) -> None:
        """SIGKILL a broker; `start` brings it back with its data."""
        process = self._process(number)
        process.kill()
        process.wait()
        self.brokers[number - 1].process = None

    def pause(self, number: int) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        self._process(number).send_signal(signal.SIGSTOP)

    def resume(self, number: int) -> None:
        self._process(number).send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill all brokers; what they stored stays in the folder."""
        for broker in self.brokers:
            if broker.process is not None:
                self.kill(broker.number)

    async def wait_ready(self) -> None:
        """Wait until a topic with one replica on every broker can be made.

        An open port is not enough: the last broker registers later. Raises RuntimeError with the log's end.
        """
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await topic_can_be_made(self.url, replicas=len(self.brokers)):
                    self._check_alive()
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise RuntimeError(f"Kafka is not ready after {READY_SECONDS} s:\n{self._log_end()}") from None

    def _check_alive(self) -> None:
        for broker in self.brokers:
            if broker.process is not None and broker.process.poll() is not None:
                raise RuntimeError(f"broker {broker.number} ended while starting:\n{self._log_end()}")

    def _log_end(self) -> str:
        return "\n".join(
            line
            for broker in self.brokers
            for line in (broker.folder / "server.log").read_text(errors="replace").splitlines()[-15:]
        )

    def _process(self, number: int) -> subprocess.Popen[bytes]:
        process = self.brokers[number - 1].process
        assert process is not None, f"broker {number} is down"
        return process

    def _properties(self, broker: Broker) -> str:
        voters = ",".join(f"{b.number}@127.0.0.1:{b.controller_port}" for b in self.brokers)
        own = [f"BROKER://127.0.0.1:{broker.port}", f"CONTROLLER://127.0.0.1:{broker.controller_port}"]
        detours = range(len(broker.detours))
        listeners = ",".join([*own, *(f"DETOUR{i}://127.0.0.1:{broker.detours[i][0]}" for i in detours)])
        told = ",".join([*own, *(f"DETOUR{i}://127.0.0.1:{broker.detours[i][1]}" for i in detours)])
        plain = "".join(f",DETOUR{i}:PLAINTEXT" for i in detours)
        replicas = min(3, len(self.brokers))
        in_sync = max(1, replicas - 1)
        return f"""\
process.roles=broker,controller
node.id={broker.number}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT{plain}
listeners={listeners}
advertised.listeners={told}
log.dirs={broker.folder}/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
""" + "".join(f"{name}={value}\n" for name, value in self.settings.items())


async def topic_can_be_made(url: str, *, replicas: int) -> bool:
    """Ask the cluster whether it would make a topic with this many replicas (nothing is made)."""
    if not all([await port_answers(address) for address in addresses(url)]):
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"), request_timeout_ms=5000)
    try:
        await admin.start()
        answer: Any = await admin.create_topics([NewTopic(PROBE, 1, replicas)], validate_only=True)
        return all(for_code(code).errno == 0 for _, code, *_ in answer.topic_errors)
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


def addresses(url: str) -> list[tuple[str, int]]:
    """Host and port of each broker that `kafka://host:port,host:port` names."""
    pairs = [address.rpartition(":") for address in url.removeprefix("kafka://").split(",")]
    return [(host, int(port)) for host, _, port in pairs]


async def port_answers(address: tuple[str, int]) -> bool:
    try:
        _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.close()
    return True


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def java(jars: Path, *arguments: str) -> list[str]:
    options = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", f"{jars}/*"]
    return ["java", *options, *arguments]


def find_jars() -> Path:
    """The folder of Kafka's jars, filled by Maven when it is not there yet. Needs network access then."""
    found = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)<", POM.read_text())
    assert found, f"{POM} names no version of Kafka"
    jars = JARS / found[1]
    JARS.mkdir(parents=True, exist_ok=True)
    with (JARS / "lock").open("w") as lock:  # test processes run side by side: one installs and fetches
        fcntl.flock(lock, fcntl.LOCK_EX)
        require_java_and_maven()
        if not jars.is_dir():
            part = JARS / f"{found[1]}.part-{os.getpid()}"
            command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
            subprocess.run([*command, f"-DoutputDirectory={part}", "-DincludeScope=runtime"], check=True)
            part.rename(jars)
    return jars


def require_java_and_maven() -> None:
    """Install them when they are missing and we are root on a Debian. Raises RuntimeError when that fails."""
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES]
        for step in (["update", "-qq"], install):
            subprocess.run(["apt-get", *step], check=False, env=quiet, stdout=subprocess.DEVNULL)
    if missing():
        raise RuntimeError(
            f"A real Kafka needs {' and '.join(missing())}: install them, "
            "or set FAIRLOOP_TEST_KAFKA=kafka://host:port to a running broker."
        )


def missing() -> list[str]:
    return [program for program in ("java", "mvn") if shutil.which(program) is None]


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """`kafka://host:port` of a real broker: the one of FAIRLOOP_TEST_KAFKA, or one started for this test run."""
    if named := os.environ.get("FAIRLOOP_TEST_KAFKA"):
        yield named
    else:
        async with KafkaCluster(tmp_path_factory.mktemp("kafka")) as cluster:
            yield cluster.url
