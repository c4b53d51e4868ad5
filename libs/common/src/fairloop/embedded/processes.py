"""Which process is which: a pid alone may belong to somebody else by now."""

import os
import subprocess
from pathlib import Path

PROC = Path("/proc")


def started_at(pid: int) -> str | None:
    """An opaque stamp of when this process began; None when there is none, or only a zombie.

    The same pid with the same stamp is the same process. Linux: the kernel's tick count; elsewhere what ps says.
    """
    if PROC.joinpath("self", "stat").exists():
        try:
            # "pid (name) state …": the name may hold spaces and brackets, so count from the last bracket
            fields = PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    ps = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(ps, check=False, capture_output=True, text=True)
    state, _, start = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def is_alive(pid: int) -> bool:
    return started_at(pid) is not None


def works_in(pid: int, folder: Path) -> bool:
    """Whether a live process has this folder as its working directory (taken on trust where /proc is missing)."""
    if not is_alive(pid):
        return False
    if not PROC.joinpath("self", "cwd").exists():
        return True
    try:
        return os.path.samefile(PROC / str(pid) / "cwd", folder)
    except OSError:
        return False
