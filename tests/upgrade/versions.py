"""The code of two versions: what lies here, and what a commit had."""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MIGRATIONS = "services/*/src/*/migrations/versions/*.py"


class NoHistoryError(Exception):
    """There is no older version here to come from; the message says why."""


@dataclass(frozen=True)
class Version:
    """A tree with `libs` and `services`. Both versions run on the packages of this checkout's .venv."""

    name: str
    tree: Path

    @property
    def python_path(self) -> str:
        """Goes before the installed, editable packages."""
        sources = [self.tree / "libs/common/src", *sorted(self.tree.glob("services/*/src"))]
        return ":".join(map(str, sources))

    def migrations(self) -> set[str]:
        return {str(path.relative_to(self.tree)) for path in self.tree.glob(MIGRATIONS)}


def this_version() -> Version:
    return Version("what lies here", CHECKOUT)


def before_the_newest_migration() -> str:
    """The last commit without it: the nearest one from which an upgrade changes a database. Raises NoHistoryError."""
    added = _git(
        "log", "--first-parent", "-1", "--diff-filter=A", "--format=%H", "--", f":(glob){MIGRATIONS}"
    )
    commit = added.stdout.decode().strip()
    if added.returncode or not commit or _git("rev-parse", "--verify", "--quiet", f"{commit}^").returncode:
        raise NoHistoryError("this checkout has no history with an older schema (a tarball, a shallow clone)")
    return f"{commit}^"


def version_at(revision: str, folder: Path) -> Version:
    """A commit's tree, written to the folder. Raises NoHistoryError."""
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        raise NoHistoryError(f"there is no commit {revision} here")
    commit = found.stdout.decode().strip()
    packed = _git("archive", commit, "libs", "services")
    if packed.returncode:
        raise NoHistoryError(packed.stderr.decode().strip())
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    said = _git("log", "-1", "--format=%h, %s", commit).stdout.decode().strip()
    return Version(said, folder)


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, check=False)
