"""One embedded PostgreSQL server: made at first start, password-protected, reachable from this machine only."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from fairloop.embedded.account import Account, account_for, reachable
from fairloop.embedded.errors import EmbeddedError
from fairloop.embedded.processes import is_alive, works_in
from fairloop.embedded.programs import Programs, find_programs
from fairloop.embedded.roles import ensure_role_and_database

HOST = "127.0.0.1"
SUPERUSER = "postgres"
# below the range the kernel takes outgoing ports from: a client that retries would sooner or later take it itself
PORTS = range(20_000, 30_000)
RECOVERY_TIME = 300.0
"""Seconds a server may need to become ready, replaying its log after a crash."""
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "max_wal_size": "1GB",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""Commits survive a crash of the server, not one of the machine."""


class PostgresServer:
    """The server over one data folder. Any process may hold this object; the server belongs to none of them.

    `folder` is given to the account that runs the server (`fairloop.embedded.account`); `log` is a file that the
    server's messages are appended to. The port is chosen at first start and kept in `<folder>.port`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: str,
        log: Path,
        durable: bool = True,
        programs_home: Path | None = None,
    ) -> None:
        self.folder = folder
        self.password = password
        self._log = log
        self._durable = durable
        self._programs_home = programs_home
        self._port_file = folder.with_name(f"{folder.name}.port")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def port(self) -> int:
        return int(self._port_file.read_text())

    @property
    def pid(self) -> int | None:
        """The running server's process id; None when it does not run."""
        if self._child is not None:
            self._child.poll()
        lines = self._lock_file_lines()
        return int(lines[0]) if lines and works_in(int(lines[0]), self._cluster) else None

    @property
    def is_running(self) -> bool:
        return self.pid is not None

    def url(self, database: str = SUPERUSER, *, role: str = SUPERUSER, password: str | None = None) -> str:
        """`postgresql://role:password@127.0.0.1:port/database`; the superuser's unless a role is named."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{role}:{secret}@{HOST}:{self.port}/{database}"

    def admin_url(self, database: str = SUPERUSER) -> str:
        return self.url(database)

    async def ensure_role_and_database(self, name: str, password: str) -> None:
        """A role and a database of the same name that only this role can connect to. Doing it again is harmless."""
        await ensure_role_and_database(self.admin_url(), name, password)

    def start(self) -> None:
        """Start the server and wait until it takes connections; nothing to do when it runs already."""
        if self.is_running:
            return
        account = account_for(self.folder)
        programs = find_programs(account, home=self._programs_home)
        if self._cluster.exists():
            self._check_version(programs)
        else:
            self._initialise(programs)
        self._forget_foreign_lock()
        # a killed server's last processes may hold its memory for a moment, and a free port may just have been taken
        for last_try in (False, False, False, True):
            self._choose_port()
            failure = self._launch(programs)
            if failure is None:
                return
            if last_try:
                raise EmbeddedError(f"PostgreSQL does not start:\n{failure}")
            time.sleep(0.5)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and return when it is gone. `immediate` is a crash on purpose: no checkpoint."""
        pid = self.pid
        if pid is None:
            return
        for number, patience in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0)):
            if mode == "immediate" and number == signal.SIGINT:
                continue
            os.kill(pid, number)
            if self._gone(pid, patience):
                return
        raise EmbeddedError(f"PostgreSQL (process {pid}) does not stop; its messages are in {self._log}")

    def _gone(self, pid: int, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            ended = not is_alive(pid)
            if self._child is not None and self._child.pid == pid:
                self._child.poll()  # after the look: a child that has just ended is still to be collected
            if ended:
                return True
            time.sleep(0.02)
        return False

    def _initialise(self, programs: Programs) -> None:
        """Make the cluster beside its final name, so that an interrupted first start leaves none."""
        account = programs.account
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _give(self.folder, account)
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        secret = self.folder / "password"
        secret.unlink(missing_ok=True)
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password + "\n")
        _give(secret, account)
        try:
            with reachable(self.folder, account) as (path, descriptors), self._log.open("ab") as output:
                arguments = [
                    *(
                        "-D",
                        f"{path}/draft",
                        "-U",
                        SUPERUSER,
                        f"--pwfile={path}/password",
                        "--auth=scram-sha-256",
                    ),
                    *(
                        "--encoding=UTF8",
                        "--locale=C",
                        "--locale-provider=builtin",
                        "--builtin-locale=C.UTF-8",
                    ),
                    *([] if self._durable else ["--no-sync"]),
                ]
                status = programs.start("initdb", arguments, output=output, descriptors=descriptors).wait()
        finally:
            secret.unlink()
        if status != 0:
            raise EmbeddedError(f"initdb failed in {self.folder}:\n{_tail(self._log)}")
        draft.rename(self._cluster)

    def _check_version(self, programs: Programs) -> None:
        found = (self._cluster / "PG_VERSION").read_text().strip()
        if found != programs.major:
            raise EmbeddedError(
                f"the data in {self.folder} was made by PostgreSQL {found}, this installation brings "
                f"{programs.major}: use the Fairloop version that made it, or dump there and restore here"
            )

    def _choose_port(self) -> None:
        """Keep the port of last time unless somebody else listens there now."""
        if self._port_file.exists() and _is_free(self.port):
            return
        port = next((port for port in random.sample(PORTS, 200) if _is_free(port)), None)
        if port is None:
            raise EmbeddedError(f"no free port for PostgreSQL between {PORTS.start} and {PORTS.stop}")
        self._port_file.write_text(f"{port}\n")

    def _launch(self, programs: Programs) -> str | None:
        """None once it takes connections, else what it said before it gave up."""
        settings = SETTINGS | {"port": str(self.port)} | ({} if self._durable else NOT_DURABLE)
        with reachable(self.folder, programs.account) as (path, descriptors), self._log.open("ab") as output:
            arguments = ["-D", f"{path}/cluster", *(f"--{name}={value}" for name, value in settings.items())]
            self._child = programs.start("postgres", arguments, output=output, descriptors=descriptors)
        deadline = time.monotonic() + RECOVERY_TIME
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                return _tail(self._log)
            lines = self._lock_file_lines()
            # the lock file's eighth line is the state (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS)
            if len(lines) >= 8 and int(lines[0]) == self._child.pid and lines[7].strip() == "ready":
                return None
            time.sleep(0.02)
        self.stop("immediate")
        return f"not ready after {RECOVERY_TIME:.0f} s\n{_tail(self._log)}"

    def _lock_file_lines(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _forget_foreign_lock(self) -> None:
        """After a reboot the pid in the lock file may be another program's; PostgreSQL would refuse to start."""
        lines = self._lock_file_lines()
        if lines and is_alive(int(lines[0])):
            (self._cluster / "postmaster.pid").unlink()


def _give(path: Path, account: Account) -> None:
    if account.borrowed:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
    return True


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
