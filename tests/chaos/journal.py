"""What was answered 2xx, one JSON line each, in the order the answers came."""

import json
import time
from pathlib import Path
from typing import Any

Line = dict[str, Any]
"""`do` tells what was done; `story` whose it is, where it is anybody's."""


class Journal:
    """Open for appending as long as the run lasts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._began = time.monotonic()
        self._file = path.open("a", buffering=1)

    def write(self, do: str, **facts: Any) -> None:
        at = round(time.monotonic() - self._began, 3)
        self._file.write(json.dumps({"at": at, "do": do, **facts}) + "\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]
