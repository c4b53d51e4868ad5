"""Where tests keep what they write: in memory, where there is plenty of it.

Thousands of databases are made and dropped, of hundreds of files each; some file systems get slow from that. A crash
of a server loses as little there as on a disk: what it has written is the kernel's.
"""

import os
import shutil
import tempfile
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")
_ROOM = 12 * 2**30
"""Bytes that must be free: a whole run writes two GiB, and its processes take six."""


def folder() -> Path | None:
    """A folder for this process and those it starts, which forget() deletes. Who has set TMPDIR is obeyed: None."""
    if "TMPDIR" in os.environ or not _has_room():
        return None
    made = tempfile.mkdtemp(prefix="fairloop-tests-", dir=_MEMORY)
    Path(made).chmod(0o1777)  # as any folder of its kind: some tests are other users
    tempfile.tempdir = os.environ["TMPDIR"] = made
    return Path(made)


def forget(made: Path) -> None:
    tempfile.tempdir = None
    del os.environ["TMPDIR"]
    shutil.rmtree(made, ignore_errors=True)


def _has_room() -> bool:
    if not _MEMORY.is_mount() or psutil.virtual_memory().available < _ROOM:
        return False
    place = os.statvfs(_MEMORY)
    return place.f_bavail * place.f_frsize >= _ROOM and not place.f_flag & os.ST_NOEXEC
