"""The doctor over five neighbours: all is fine, and each planted fault is found by its name and by no other."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.doctor.neighbours import TOKEN, Neighbour, listening, well, write_certificate

from fairloop.cli.installation import SERVICE_NAMES
from fairloop.doctor import figures
from fairloop.doctor.asking import Place
from fairloop.doctor.examining import FINE, Subject, examine, judge
from fairloop.doctor.findings import Report
from fairloop.doctor.seen import Around, Seen

ROOT = Path(__file__).resolve().parents[3]
PARTITION = 'topic="directory.v1",partition="0"'
Fault = Callable[[dict[str, Neighbour]], None]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def examined(
    neighbours: dict[str, Neighbour], stack: ExitStack, *, token: str | None = TOKEN
) -> Report:
    places = [Place(stack.enter_context(listening(one)), name) for name, one in neighbours.items()]
    return await examine(Subject(places=places, token=token, log_url=None, data=None))


def healthy() -> dict[str, Neighbour]:
    return {name: Neighbour(name) for name in SERVICE_NAMES}


def troubles(report: Report) -> list[tuple[str, str, str]]:
    return [(one.check, one.state, one.where) for one in report.findings if one.state != "fine"]


async def test_a_healthy_installation_is_fine(stack: ExitStack) -> None:
    report = await examined(healthy(), stack)
    assert (troubles(report), report.status) == ([], 0)
    unseen = {one.check for one in report.not_looked_at}
    assert unseen == {"topics", "certificates", "disk"}
    assert {one.check for one in report.findings} | unseen == set(FINE)


def gauge(service: str, name: str, labels: str, value: float) -> Fault:
    def plant(neighbours: dict[str, Neighbour]) -> None:
        neighbours[service].samples[name][labels] = value

    return plant


def answers(name: str, **how: Any) -> Fault:
    def plant(neighbours: dict[str, Neighbour]) -> None:
        neighbours[name] = replace(neighbours[name], **how)

    return plant


FAULTS: dict[str, tuple[Fault, tuple[str, str, str]]] = {
    "another service answers at its address": (
        answers("bonus", service="attribution"),
        ("reachable", "broken", "bonus"),
    ),
    "its database is away": (
        answers("bonus", ready=False, reasons=["the database does not answer"]),
        ("databases", "broken", "bonus"),
    ),
    "its database is not migrated": (
        answers("bonus", ready=False, reasons=["migrations are pending: 0003 → 0004"]),
        ("data version", "broken", "bonus"),
    ),
    "it cannot tell whether it is ready": (
        answers("bonus", ready=False, reasons=None),
        ("ready", "broken", "bonus"),
    ),
    "the log is away": (
        answers("bonus", reasons=["the event log does not answer; events wait in the outbox"]),
        ("event log", "broken", "bonus"),
    ),
    "it is of another version": (answers("bonus", version="0.0.9"), ("versions", "look", "")),
    "its clock is a minute behind": (answers("bonus", ahead=-60), ("clocks", "broken", "bonus")),
    "its clock is ten seconds ahead": (answers("bonus", ahead=10), ("clocks", "look", "bonus")),
    "it verifies tokens with another key": (answers("bonus", token="other"), ("tokens", "broken", "bonus")),
    "a partition is halted": (
        gauge("bonus", "fairloop_partition_halted", PARTITION, 1),
        ("halted partitions", "broken", "bonus"),
    ),
    "keys are parked": (
        gauge("bonus", "fairloop_parked_keys", 'topic="directory.v1"', 2),
        ("parked keys", "look", "bonus"),
    ),
    "the consumer is far behind": (
        gauge("kpi-aggregator", "fairloop_consumer_lag", PARTITION, 1_000),
        ("lag", "look", "kpi-aggregator"),
    ),
    "an event waits": (
        gauge("kpi-aggregator", "fairloop_consumer_oldest_age_seconds", PARTITION, 301),
        ("oldest event", "look", "kpi-aggregator"),
    ),
    "an event waits for hours": (
        gauge("kpi-aggregator", "fairloop_consumer_oldest_age_seconds", PARTITION, 7_200),
        ("oldest event", "broken", "kpi-aggregator"),
    ),
    "an event does not leave the outbox": (
        gauge("attribution", "fairloop_outbox_age_seconds", 'topic="directory.v1"', 61),
        ("outbox", "look", "attribution"),
    ),
    "a deadline was missed": (
        gauge("closed-loop", "fairloop_timer_overdue_seconds", "", 90),
        ("deadlines", "broken", "closed-loop"),
    ),
    "an hourly job is late": (
        gauge(
            "bonus",
            "fairloop_job_last_success_timestamp_seconds",
            'task="receipt.months"',
            time.time() - 4 * 3600,
        ),
        ("upkeep", "look", "bonus"),
    ),
    "next month has no partition": (
        gauge("bonus", "fairloop_partition_months_ahead", 'table="receipt"', 0),
        ("upkeep", "look", "bonus"),
    ),
    "its worker is not among the addresses": (
        answers("bonus", is_worker=False),
        ("measuring", "look", "bonus"),
    ),
    "a case has no owner": (
        answers("closed-loop", owners={"nora": 4, "org_unit:north": 2}),
        ("cases without an owner", "look", "north"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_is_found_by_its_name(name: str, stack: ExitStack) -> None:
    plant, expected = FAULTS[name]
    neighbours = healthy()
    plant(neighbours)
    report = await examined(neighbours, stack)
    assert expected in troubles(report)
    assert {check for check, *_ in troubles(report)} == {expected[0]}
    assert report.status == {"look": 1, "broken": 2}[expected[1]]


async def test_a_service_that_is_down_is_the_only_trouble(stack: ExitStack) -> None:
    with listening(Neighbour("bonus")) as gone:
        pass
    neighbours = {name: Neighbour(name) for name in SERVICE_NAMES if name != "bonus"}
    places = [Place(stack.enter_context(listening(one))) for one in neighbours.values()]
    report = await examine(
        Subject(places=[*places, Place(gone, "bonus")], token=TOKEN, log_url=None, data=None)
    )
    assert troubles(report) == [("reachable", "broken", "bonus")]


async def test_who_is_silent_at_an_address_without_a_name_is_not_asked_for_again(stack: ExitStack) -> None:
    with listening(Neighbour("bonus")) as gone:
        pass
    neighbours = [Neighbour(name) for name in SERVICE_NAMES if name != "bonus"]
    places = [Place(stack.enter_context(listening(one))) for one in neighbours]
    report = await examine(Subject(places=[*places, Place(gone)], token=TOKEN, log_url=None, data=None))
    assert troubles(report) == [("reachable", "broken", gone)]


async def test_a_clock_that_nobody_tells_is_not_called_right(stack: ExitStack) -> None:
    report = await examined(healthy() | {"bonus": Neighbour("bonus", ahead=None)}, stack)
    assert report.status == 0
    assert "clocks" in {one.check for one in report.not_looked_at}


async def test_an_address_that_was_forgotten_is_asked_for(stack: ExitStack) -> None:
    neighbours = {name: Neighbour(name) for name in SERVICE_NAMES if name != "bonus"}
    assert troubles(await examined(neighbours, stack)) == [("reachable", "look", "bonus")]


async def test_replicas_tell_the_same_of_one_database_and_their_partitions_add_up(stack: ExitStack) -> None:
    lagging = well() | {
        "fairloop_consumer_lag": {'topic="t",partition="0"': 600, 'topic="t",partition="1"': 500}
    }
    workers = [Neighbour("bonus", samples=lagging), Neighbour("bonus", samples=lagging)]
    others = [Neighbour(name) for name in SERVICE_NAMES if name != "bonus"]
    places = [Place(stack.enter_context(listening(one))) for one in (*workers, *others)]
    report = await examine(Subject(places=places, token=TOKEN, log_url=None, data=None))
    (lag,) = [one for one in report.findings if one.check == "lag"]
    assert lag.seen == "1100 events of t are not consumed yet"


@pytest.mark.parametrize(
    ("days", "state", "status"), [(60, "fine", 0), (10, "look", 1), (1, "broken", 2), (-1, "broken", 2)]
)
async def test_a_certificate_is_looked_at_before_it_ends(
    days: float,
    state: str,
    status: int,
    *,
    stack: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = write_certificate(tmp_path, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    places = [
        Place(stack.enter_context(listening(Neighbour(name), certificate if name == "bonus" else None)), name)
        for name in SERVICE_NAMES
    ]
    report = await examine(Subject(places=places, token=TOKEN, log_url=None, data=None))
    (found,) = [one for one in report.findings if one.check == "certificates"]
    assert (found.state, report.status) == (state, status)
    assert {check for check, *_ in troubles(report)} <= {"certificates"}


async def test_a_certificate_of_an_unknown_authority_gets_no_token(stack: ExitStack, tmp_path: Path) -> None:
    neighbours = healthy()
    url = stack.enter_context(listening(neighbours["bonus"], write_certificate(tmp_path, days=60)))
    report = await examine(Subject(places=[Place(url, "bonus")], token=TOKEN, log_url=None, data=None))
    (found,) = [one for one in report.findings if one.check == "certificates"]
    assert (found.state, found.where) == ("broken", "bonus")
    assert "self-signed certificate" in found.seen
    assert "tokens" in {one.check for one in report.not_looked_at}


async def test_a_program_that_is_no_service_of_ours_gets_no_token(stack: ExitStack) -> None:
    shown: list[str | None] = []

    class Stranger(Neighbour):
        def answer(self, path: str, authorization: str | None) -> tuple[int, str | dict[str, object]]:
            shown.append(authorization)
            return 200, "<html>It works!</html>"

    report = await examined(healthy() | {"bonus": Stranger("bonus")}, stack)
    assert troubles(report) == [("reachable", "broken", "bonus")]
    assert shown
    assert set(shown) == {None}


async def test_without_a_token_the_rest_is_still_looked_at(stack: ExitStack) -> None:
    report = await examined(healthy(), stack, token=None)
    assert report.status == 0
    assert {"tokens", "cases without an owner"} <= {one.check for one in report.not_looked_at}


async def test_nothing_that_was_not_seen_is_called_fine() -> None:
    with listening(Neighbour("bonus")) as gone:
        pass
    report = await examine(Subject(places=[Place(gone)], token=None, log_url=None, data=None))
    assert {one.check for one in report.findings} == {"reachable"}


async def test_the_command_says_what_to_do_and_never_the_token(stack: ExitStack) -> None:
    neighbours = healthy()
    neighbours["bonus"].samples["fairloop_parked_keys"]['topic="directory.v1"'] = 2
    targets = [f"--target={name}={stack.enter_context(listening(one))}" for name, one in neighbours.items()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLOOP_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "fairloop.cli", "doctor", *targets],
        env={**environment, "FAIRLOOP_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"look +parked keys +bonus +2 keys of directory.v1 wait", done.stdout)
    assert "fairloop parked retry" in done.stdout
    assert "“Parked events”" in done.stdout
    assert re.search(r"fine +tokens +every service takes the token", done.stdout)
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [(20, 100, "fine"), (9, 100, "look"), (11, 2000, "fine"), (0.4, 100, "broken")],
)
def test_a_disk_is_looked_at_before_it_is_full(free: float, total: float, state: str) -> None:
    gib = 1024**3
    around = Around(
        topics_wrong="",
        log_away=None,
        ownerless="",
        data_version=None,
        disk=(int(free * gib), int(total * gib)),
    )
    seen = Seen(said=[], around=around, token_shown=False, our_version="1", now=datetime.now(UTC))
    (found,) = [one for one in judge(seen).findings if one.check == "disk"]
    assert found.state == state


def test_every_advice_leads_to_the_runbook() -> None:
    sources = "".join(path.read_text() for path in Path(figures.__file__).parent.glob("*.py"))
    headings = set(re.findall(r"^#+ (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))
    named = set(re.findall(r'see="([^"]+)"', sources))
    assert len(named) > 10
    assert named <= headings


def test_every_gauge_the_doctor_reads_is_one_that_an_alert_watches() -> None:
    sources = "".join(path.read_text() for path in Path(figures.__file__).parent.glob("*.py"))
    named = set(re.findall(r'"(fairloop_\w+)"', sources))
    assert named == set(well())
    assert named <= set(re.findall(r"\bfairloop_\w+", (ROOT / "deploy/prometheus/alerts.yaml").read_text()))
