"""`fairloop logs`: what the services wrote, one after the other or as it comes."""

import time
from collections.abc import Callable, Sequence

from fairloop.cli.installation import SERVICE_NAMES, Installation
from fairloop.cli.log_files import Follower, tail

LOG_NAMES = (*SERVICE_NAMES, "supervisor", "postgres")

Show = Callable[[str, str], None]
"""Shows a line of the log with this name."""


def show_last(installation: Installation, names: Sequence[str], lines: int, show: Show) -> None:
    for name in names:
        for line in tail(installation.log_file(name), lines).splitlines():
            show(name, line)


def follow(installation: Installation, names: Sequence[str], show: Show) -> None:
    """Until interrupted."""
    followers = {name: Follower(installation.log_file(name)) for name in names}
    while True:
        for name, follower in followers.items():
            for line in follower.new_lines():
                show(name, line)
        time.sleep(0.2)
