"""Prometheus' own tool, for checking alerting rules: `python deploy/prometheus/promtool.py check|test|path`.

The one on the PATH, else the one of Debian's package `prometheus`, unpacked into `.cache/prometheus` (nothing is
installed). Elsewhere a RuntimeError says what to do.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RULES = HERE / "alerts.yaml"
TESTS = sorted(HERE.glob("*_test.yaml"))
CACHE = HERE.parents[1] / ".cache/prometheus"
PACKAGE = "prometheus"
OLDEST = (2, 42)
"""What the rules were written for; an older promtool is refused."""


def promtool() -> Path:
    """The program. Raises RuntimeError when there is none, and none can be fetched."""
    found = shutil.which("promtool")
    program = Path(found) if found else CACHE / "usr/bin/promtool"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:  # tests run side by side: one fetches
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _fetch()
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    said = re.search(r"version (\d+)\.(\d+)", version.stdout + version.stderr)
    if said is None or (int(said[1]), int(said[2])) < OLDEST:
        raise RuntimeError(f"{program} is older than {OLDEST[0]}.{OLDEST[1]}: {version.stdout}")
    return program


def _fetch() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise RuntimeError("Checking alert rules needs promtool: put Prometheus' promtool on the PATH.")
    download = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", PACKAGE]
    if subprocess.run(download, check=False, cwd=CACHE, stderr=subprocess.DEVNULL).returncode and (
        os.geteuid() == 0
    ):
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(download, check=True, cwd=CACHE)
    packages = sorted(CACHE.glob(f"{PACKAGE}_*.deb"))
    if not packages:
        raise RuntimeError(f"Debian's package {PACKAGE} could not be fetched: put promtool on the PATH.")
    part = CACHE / "part"
    subprocess.run(["dpkg-deb", "-x", packages[-1], part], check=True)
    (CACHE / "usr/bin").mkdir(parents=True, exist_ok=True)
    (part / "usr/bin/promtool").rename(CACHE / "usr/bin/promtool")
    shutil.rmtree(part)
    for package in packages:
        package.unlink()


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            return subprocess.run([promtool(), "check", "rules", RULES], check=False).returncode
        case ["test"]:
            return subprocess.run([promtool(), "test", "rules", *TESTS], check=False).returncode
        case ["path"]:
            print(promtool())
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
