"""`python -m tests.fault.nursery`: loads everything once, then forks a service's process per line of standard input.

Each child runs what ships, `fairloop.serve.run_server`; only the loading of Python's modules is shared. The answer to
a line is the child's process id.
"""

import os
import signal
import sys
from typing import Literal, NoReturn

import msgspec
from tests.fault.sales import Plan, counting, selling

from fairloop.log import kafka, postgres  # noqa: F401 - loaded before the forks
from fairloop.serve import run_server

SERVICES = {"selling": selling, "counting": counting}


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """What a child is to be. Its standard output and error are appended to the file `output`."""

    service: Literal["selling", "counting"]
    plan: Plan
    api: bool
    worker: bool
    environment: dict[str, str]
    output: str


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for line in sys.stdin.buffer:
        birth = msgspec.json.decode(line, type=Birth)
        pid = os.fork()
        if pid == 0:
            live(birth)
        print(pid, flush=True)


def live(birth: Birth) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(birth.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(birth.environment)
    status = 1
    try:
        run_server(SERVICES[birth.service](birth.plan), api=birth.api, worker=birth.worker)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
