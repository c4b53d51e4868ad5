"""The launcher's files: secrets, logs, records."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairloop.auth import Role, mint_token, verify_token
from fairloop.cli.files import write_private
from fairloop.cli.log_files import Follower, rotate, tail
from fairloop.cli.records import process
from fairloop.cli.status import figures_in
from fairloop.cli.vault import open_vault
from fairloop.embedded.processes import is_alive, started_at, works_in


def test_secrets_are_made_once_and_never_the_same_twice(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    vault = open_vault(tmp_path)
    assert open_vault(tmp_path) == vault
    assert open_vault(tmp_path / "other").postgres_password != vault.postgres_password
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len({vault.postgres_password, *vault.database_passwords.values()}) == 7


def test_a_vaults_keys_belong_together(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    token = mint_token(vault.token_private_key, sub="me", role_names=[Role.OPS])
    assert verify_token(token, vault.token_public_key).sub == "me"


def test_a_file_that_could_not_be_replaced_stays_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_large_log_starts_anew_and_its_writers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "bonus.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 10)
        assert not rotate(path, largest=90)
        assert rotate(path, largest=89)
        writer.write(b"new line\n")
    assert path.read_text() == "new line\n"
    assert (tmp_path / "bonus.log.1").read_text() == "old line\n" * 10


def test_a_follower_shows_whole_new_lines_across_rotation(tmp_path: Path) -> None:
    path = tmp_path / "bonus.log"
    path.write_text("before\n" * 100)
    follower = Follower(path)
    with path.open("a") as writer:
        writer.write("one\ntw")
        writer.flush()
        assert follower.new_lines() == ["one"]
        writer.write("o\n")
        writer.flush()
        assert follower.new_lines() == ["two"]
        rotate(path, largest=1)
        writer.write("three\n")
    assert follower.new_lines() == ["three"]
    assert follower.new_lines() == []


def test_tail_of_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == ""
    (tmp_path / "some.log").write_text("1\n2\n3\n")
    assert tail(tmp_path / "some.log", 2) == "2\n3"


def test_a_process_is_known_by_when_it_began() -> None:
    ours = process(os.getpid())
    assert ours.is_alive
    assert not type(ours)(ours.pid, "another beginning").is_alive


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path) as child:
        assert is_alive(child.pid)
        assert works_in(child.pid, tmp_path)
        assert not works_in(child.pid, tmp_path.parent)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert started_at(child.pid) is None


def test_figures_are_added_up_over_partitions_and_others_left_out() -> None:
    page = """\
# TYPE fairloop_consumer_lag gauge
fairloop_consumer_lag{topic="a"} 2.0
fairloop_consumer_lag{topic="b"} 3.0
# TYPE fairloop_partition_halted gauge
fairloop_partition_halted{topic="a"} 1.0
# TYPE something_else gauge
something_else 9.0
"""
    assert figures_in(page) == {"lag": 5, "halted": 1}
