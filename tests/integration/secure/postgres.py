"""A PostgreSQL that takes no connection in the clear: the machine's own, because the embedded one speaks no TLS.

Where the machine has none, root on a Debian installs the package `postgresql`; elsewhere a RuntimeError says so.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.secure.broker import Papers

from fairloop.embedded.account import Account, account_for
from fairloop.embedded.programs import Programs
from fairloop.testing_kafka import free_ports

DEBIANS = Path("/usr/lib/postgresql")
CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")
LOCK = Path(tempfile.gettempdir()) / "fairloop-postgresql.lock"
PASSWORD = "the superuser's"
CERTIFIED = "certified"
"""The role that shows a certificate instead of a password."""
WHO_MAY = f"""\
hostssl all {CERTIFIED} 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256
"""
INITDB = ("-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
READY_SECONDS = 30.0


@dataclass(frozen=True)
class SecurePostgres:
    port: int
    authority: Path
    bin: Path

    def url(self, more: str = "", *, host: str = "localhost", database: str = "postgres") -> str:
        """The superuser's address; by default without a word about TLS."""
        return f"postgresql://postgres:the%20superuser's@{host}:{self.port}/{database}{more and '?' + more}"

    @property
    def verified(self) -> str:
        return f"sslmode=verify-full&sslrootcert={self.authority}"


def installed() -> Path | None:
    """The folder of the newest server's programs."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    servers = sorted(DEBIANS.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return servers[-1].parent if servers else None


def programs_folder() -> Path:
    """Raises RuntimeError when there is no server and none can be installed."""
    with LOCK.open("w") as lock:  # test processes run side by side: one installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed() is None and os.geteuid() == 0 and shutil.which("apt-get"):
            if not CLUSTERS.exists():  # the programs are wanted, no server of the machine
                CLUSTERS.parent.mkdir(parents=True, exist_ok=True)
                CLUSTERS.write_text("create_main_cluster = false\n")
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            install = ["install", "-y", "-qq", "--no-install-recommends", "postgresql"]
            for step in (["update", "-qq"], install):
                subprocess.run(["apt-get", *step], check=False, env=quiet, stdout=subprocess.DEVNULL)
        found = installed()
    if found is None:
        raise RuntimeError("TLS to PostgreSQL is tested with a server of this machine: install PostgreSQL.")
    return found


def lend(path: Path, account: Account) -> None:
    if account.borrowed:
        os.chown(path, account.uid, account.gid)


@contextmanager
def secure_postgres(papers: Papers) -> Iterator[SecurePostgres]:
    """A new server on 127.0.0.1 whose certificate is for `localhost`; gone at the end."""
    bin_folder = programs_folder()
    with tempfile.TemporaryDirectory(prefix="fairloop-tls-") as place:
        folder, cluster = Path(place), Path(place, "cluster")
        account = account_for(cluster)
        programs = Programs(bin_folder, account, "")
        files = {
            "password": PASSWORD,
            "hba": WHO_MAY,
            "ca.pem": papers.authority.read_text(),
            "server.pem": papers.server.read_text(),
        }
        for name, content in files.items():
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
            lend(folder / name, account)
        lend(folder, account)
        log = (folder / "log").open("wb")
        named = ["-D", str(cluster), f"--pwfile={folder}/password"]
        made = programs.start("initdb", [*named, *INITDB], output=log)
        assert made.wait() == 0, (folder / "log").read_text()
        [port] = free_ports(1)
        settings = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "hba_file": str(folder / "hba"),
            "ssl": "on",
            "ssl_ca_file": str(folder / "ca.pem"),
            "ssl_cert_file": str(folder / "server.pem"),
            "ssl_key_file": str(folder / "server.pem"),
            "fsync": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        server = programs.start("postgres", ["-D", str(cluster), *options], output=log)
        try:
            wait_ready(cluster / "postmaster.pid", server, folder / "log")
            yield SecurePostgres(port, papers.authority, bin_folder)
        finally:
            server.kill()
            server.wait()
            log.close()


def wait_ready(lock_file: Path, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server says in its lock file that it takes connections."""
    deadline = time.monotonic() + READY_SECONDS
    while not (lock_file.exists() and "ready" in lock_file.read_text()):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
