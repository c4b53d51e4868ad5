"""A Docker engine for the check: Debian's, started for it, beside the one this machine may have."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("docker.io", "debootstrap", "iptables")
READY_SECONDS = 60.0


def answers() -> bool:
    """Whether `docker` on the PATH reaches an engine."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "version"], check=False, capture_output=True).returncode == 0


@contextmanager
def own_engine(data: Path) -> Iterator[dict[str, str]]:
    """An engine over a data folder, stopped at the end; yields what its clients need in their environment.

    Needs root, and installs Debian's packages where they are missing. Raises RuntimeError.
    """
    if missing := [name for name in ("dockerd", "debootstrap", "iptables") if shutil.which(name) is None]:
        _install(missing)
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fairloop-docker-") as folder:
        place = f"unix://{folder}/docker.sock"
        command = [
            "dockerd",
            "--data-root",
            str(data),
            "--exec-root",
            f"{folder}/exec",
            "-p",
            f"{folder}/pid",
        ]
        with (data.parent / "engine.log").open("wb") as log:
            engine = subprocess.Popen(
                [*command, "-H", place, "--storage-driver", "overlay2"],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        environment = {**os.environ, "DOCKER_HOST": place, "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": folder}
        # Debian's client goes with Debian's engine; a newer one in front of it may want a plugin for building
        environment["PATH"] = f"/usr/bin:{environment['PATH']}"
        try:
            _wait(engine, environment, data.parent / "engine.log")
            yield environment
        finally:
            engine.send_signal(signal.SIGTERM)
            engine.wait(60)


def _wait(engine: "subprocess.Popen[bytes]", environment: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while subprocess.run(["docker", "version"], check=False, capture_output=True, env=environment).returncode:
        if engine.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the Docker engine does not start: {log.read_text()[-2000:]}")
        time.sleep(0.2)


def _install(missing: list[str]) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(
            f"there is no Docker engine here, and {', '.join(missing)} to start one are missing"
        )
    subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
