"""Run a real Apache Kafka for tests by hand: `python deploy/kafka/broker.py up [brokers] | down | status`.

`up` prints the address in the form that FAIRLOOP_TEST_KAFKA and FAIRLOOP_LOG_URL take. Everything lives in
`.cache/kafka/running` of the checkout and is deleted by `down`.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from fairloop.testing_kafka import JARS, KafkaCluster, topic_can_be_made

FOLDER = JARS / "running"
STATE = FOLDER / "state.json"


async def up(brokers: int) -> int:
    if STATE.exists():
        print("running already; `status` says where, `down` stops it", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    cluster = await KafkaCluster(FOLDER, brokers=brokers).__aenter__()
    pids = [broker.process.pid for broker in cluster.brokers if broker.process]
    STATE.write_text(json.dumps({"url": cluster.url, "pids": pids}))
    print(cluster.url)
    return 0


def down() -> int:
    if STATE.exists():
        for pid in json.loads(STATE.read_text())["pids"]:
            if is_kafka(pid):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


async def status() -> int:
    if not STATE.exists():
        print("down")
        return 1
    state = json.loads(STATE.read_text())
    alive = [pid for pid in state["pids"] if is_kafka(pid)]
    ready = len(alive) == len(state["pids"]) and await topic_can_be_made(state["url"], replicas=len(alive))
    print(
        f"{state['url']} {'ready' if ready else 'not ready'}, {len(alive)} of {len(state['pids'])} brokers run"
    )
    return 0 if ready else 1


def is_kafka(pid: int) -> bool:
    """Whether the process still is one of our brokers: ids are used again after a reboot."""
    try:
        return str(FOLDER).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            return asyncio.run(up(1))
        case ["up", brokers] if brokers.isdigit():
            return asyncio.run(up(int(brokers)))
        case ["down"]:
            return down()
        case ["status"]:
            return asyncio.run(status())
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
