"""What processes and folders take, from /proc and the file system."""

import os
from contextlib import suppress
from pathlib import Path

MIB = 2**20
_TICKS = os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Memory of a process that is really there."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    return sum(map(int, _fields(pid)[11:15])) / _TICKS


def cpu_seconds_below(pid: int) -> float:
    """Of a process and its children, as PostgreSQL's are."""
    total = cpu_seconds(pid)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # ended meanwhile
                if parent_of(int(folder.name)) == pid:
                    total += cpu_seconds(int(folder.name))
    return total


def parent_of(pid: int) -> int:
    return int(_fields(pid)[1])


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, from the third on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def size_of(folder: Path) -> int:
    """Bytes that all files below take: those that are set aside but not written count for nothing."""
    return sum(512 * path.stat().st_blocks for path in folder.rglob("*") if path.is_file())
