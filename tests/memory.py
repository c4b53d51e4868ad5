"""Where tests keep what they write: in memory, where there is plenty of it.

Thousands of databases are made and dropped, of hundreds of files each; some file systems get slow from that. A crash
of a server loses as little there as on a disk: what it has written is the kernel's.
"""

import os
import tempfile
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")
_ROOM = 12 * 2**30
"""Bytes that must be free: a whole run writes two GiB, and its processes take six."""


def write_to_memory() -> None:
    """For this process and those it starts. Who has set TMPDIR is obeyed."""
    if "TMPDIR" not in os.environ and _has_room():
        tempfile.tempdir = os.environ["TMPDIR"] = str(_MEMORY)


def _has_room() -> bool:
    if not _MEMORY.is_mount() or psutil.virtual_memory().available < _ROOM:
        return False
    place = os.statvfs(_MEMORY)
    return place.f_bavail * place.f_frsize >= _ROOM and not place.f_flag & os.ST_NOEXEC
