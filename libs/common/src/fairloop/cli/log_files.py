"""The services' logs: `logs/<service>.log`, kept from growing without end."""

import asyncio
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

LARGEST = 20 * 1024 * 1024
"""Bytes a log file may have before it becomes `<name>.log.1`."""
TAIL_BYTES = 64 * 1024

log = logging.getLogger(__name__)


def rotate(path: Path, largest: int = LARGEST) -> bool:
    """Copy a large file to `<name>.1` and empty it. Its writers append, so they go on at the new start."""
    if not path.exists() or path.stat().st_size <= largest:
        return False
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)
    return True


async def keep_small(folder: Path, *, every: float = 10.0) -> None:
    """Look after all logs of a folder until cancelled."""
    while True:
        try:
            for path in folder.glob("*.log"):
                rotate(path)
        except OSError as error:
            log.warning("the logs in %s could not be rotated: %s", folder, error)
        await asyncio.sleep(every)


def tail(path: Path, lines: int = 15) -> str:
    """The last lines; empty when there is no such file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


class Follower:
    """Reads what is appended to a file, across rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0
        self._rest = ""

    def new_lines(self) -> Iterable[str]:
        """The whole lines written since the last call."""
        if not self._path.exists():
            return []
        size = self._path.stat().st_size
        self._position = 0 if size < self._position else self._position
        with self._path.open("rb") as file:
            file.seek(self._position)
            content = file.read()
        self._position += len(content)
        *lines, self._rest = (self._rest + content.decode(errors="replace")).split("\n")
        return lines
