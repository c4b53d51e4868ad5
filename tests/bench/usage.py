"""What processes and folders take, from /proc and the file system."""

import os
from pathlib import Path

MIB = 2**20
_TICKS = os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Memory of a process that is really there."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def cpu_seconds_below(pid: int) -> float:
    """Of a process and all that run below it, as PostgreSQL's do."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    below, found = {pid}, True
    while found:
        more = {child for child, parent in parents.items() if parent in below} - below
        below, found = below | more, bool(more)
    return sum(cpu_seconds(one) for one in below if Path(f"/proc/{one}").exists())


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
