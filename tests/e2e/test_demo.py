"""The windscreen story as a guest: on an installation known by its addresses, beside others' data, and taken back."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.e2e.installation import Installation, installed

from fairloop.services import SERVICES

pytestmark = pytest.mark.timeout(300)

ADMIN = ("--role", "admin", "--sub", "visitor")
FINANCE = ("--role", "finance", "--sub", "fin")


def played(installation: Installation, elsewhere: Path, *options: str, **tokens: str) -> tuple[int, str]:
    """`fairloop demo --target …` from a place that knows nothing of the installation; its status and what it said."""
    targets = [f"--target={installation.url(service)}" for service in reversed(SERVICES)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLOOP_")}
    done = subprocess.run(
        [sys.executable, "-m", "fairloop.cli", "demo", *targets, *options],
        env={**environment, "FAIRLOOP_HOME": str(elsewhere), "FAIRLOOP_PORT_BASE": "9", **tokens},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert not any(token in said for token in tokens.values())
    return done.returncode, said


def counted(installation: Installation, expected: int | None, seconds: float = 20) -> None:
    """The organisation's own figure comes to rest on so many answers."""
    headers = {"Authorization": f"Bearer {installation.state()['tokens']['admin']}"}
    url = f"{installation.url('kpi-aggregator')}/v1/kpis/nps/organisation/all"
    deadline = time.monotonic() + seconds
    while (n := httpx.get(url, params={"window": "90d"}, headers=headers).json()["n"]) != expected:
        assert time.monotonic() < deadline, (n, expected)
        time.sleep(0.1)


def test_two_guests_play_at_once_and_are_sent_away(tmp_path: Path, prepared: Path) -> None:
    with installed(tmp_path / "home", prepared=prepared) as installation:
        token = {"FAIRLOOP_TOKEN": installation.fairloop("token", *ADMIN).strip()}
        approver = {"FAIRLOOP_APPROVER_TOKEN": installation.fairloop("token", *FINANCE).strip()}

        with ThreadPoolExecutor() as threads:
            playing = [
                threads.submit(played, installation, tmp_path, **tokens)
                for tokens in (token, token | approver)
            ]
        (alone, told), (together, told_together) = (one.result() for one in playing)
        assert (alone, together) == (0, 0), told + told_together
        assert "that takes somebody else than who calculated" in told
        assert "paid as approved" in told_together
        counted(installation, 78)

        tags = [re.search(r"--remove (\S+)", said) for said in (told, told_together)]
        for left, tag in zip((39, None), tags, strict=True):
            assert tag is not None
            status, said = played(installation, tmp_path, f"--remove={tag[1]}", **token)
            assert status == 0, said
            counted(installation, left)
        status, said = played(installation, tmp_path, "--remove=never", **token)
        assert (status, "nothing was played under never" in said) == (1, True)

        connection = {"platform": "fairloop", "survey_type": "transactional"}
        headers = {"Authorization": f"Bearer {token['FAIRLOOP_TOKEN']}"}
        httpx.put(
            f"{installation.url('survey-intake')}/v1/connections/leaning", json=connection, headers=headers
        ).raise_for_status()
        status, said = played(installation, tmp_path, **token)
        assert (status, "connection leaning names none" in said) == (1, True)
        counted(installation, None)


def test_a_target_that_is_not_there_is_told_in_plain_words(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fairloop.cli", "demo", "--target=http://127.0.0.1:9"],
        env={**os.environ, "FAIRLOOP_TOKEN": "secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert "Traceback" not in done.stderr
