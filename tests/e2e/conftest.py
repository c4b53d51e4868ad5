"""Installations: one for the tests that leave it as they found it, and a home to begin others with."""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.installation import Installation, installed
from tests.e2e.mailbox import Mailbox, mailbox

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with databases and tables and nothing in them, made once a run: a copy of it starts in half the time."""
    own = tmp_path_factory.getbasetemp()
    home = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "data").exists():
            with installed(home):
                pass
    return home


@pytest.fixture(scope="session")
def mails() -> Iterator[Mailbox]:
    """The SMTP server that the shared installation hands its digests to."""
    with mailbox() as server:
        yield server


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    prepared: Path,
    mails: Mailbox,
) -> Iterator[Installation]:
    """Digests are due at once for whoever joins; webhooks may go to this machine. `LOG=kafka`: on a real broker."""
    now = datetime.now(UTC)
    telling = {
        "FAIRLOOP_SMTP_URL": mails.url,
        "FAIRLOOP_MAIL_FROM": "digest@fairloop.test",
        "FAIRLOOP_LINK_BASE_URL": "https://fairloop.test",
        "FAIRLOOP_DIGEST_WEEKDAY": WEEKDAYS[now.weekday()],
        "FAIRLOOP_DIGEST_HOUR": str(now.hour),
        "FAIRLOOP_WEBHOOK_ALLOWED_NETWORKS": json.dumps(["127.0.0.1/32"]),
    }
    log = {"FAIRLOOP_LOG_URL": request.getfixturevalue("kafka")} if os.environ.get("LOG") == "kafka" else {}
    with installed(tmp_path_factory.mktemp("shared") / "home", prepared=prepared, **telling, **log) as up:
        yield up
