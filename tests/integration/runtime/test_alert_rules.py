"""The alert rules: Prometheus accepts them, running services export what they name, the runbook knows each."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.runtime.conftest import until

from closed_loop.main import service as closed_loop
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.service import Service
from fairloop.testing import ENVIRONMENT, running, temporary_database
from fairloop.testing_kafka import free_ports
from survey_intake.main import service as survey_intake

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy/prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ONLY_ONCE_IT_HAPPENED = {
    "fairloop_intake_deliveries_total",  # a delivery was taken
    "fairloop_relayed_total",  # an event was carried
    "fairloop_http_request_seconds_count",  # a request was answered
}


def named(rule: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\bfairloop_\w+", rule["expr"]))


@pytest.mark.parametrize("action", ["check", "test"])
def test_prometheus_own_tool_is_content(action: str) -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "promtool.py", action], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert {"summary", "description", "runbook_url"} == rule["annotations"].keys()
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings, "the runbook has an entry of this name"


def test_every_alert_is_seen_firing_by_the_rules_own_tests() -> None:
    tests = (FOLDER / "alerts_test.yaml").read_text()
    firing = set(re.findall(r'ALERTS\{alertname="(\w+)", alertstate="firing", severity', tests))
    firing |= set(re.findall(r"alertname: (\w+)\n +exp_alerts:", tests))
    assert firing == {rule["alert"] for rule in RULES}


async def test_running_services_export_every_metric_a_rule_names(postgres: PostgresServer) -> None:
    async with temporary_database(postgres) as log_db:
        async with open_log(log_db.url) as log:
            await log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
        async with (
            process(survey_intake, "api", postgres, log_db.url) as door,
            process(closed_loop, "worker", postgres, log_db.url) as worker,
        ):
            names = set().union(*map(named, RULES))
            seen: dict[str, set[str]] = {}

            async def complete() -> bool:
                pages = [await scraped(address) for address in (door, worker)]
                seen["families"] = set().union(*(families for families, _ in pages))
                seen["samples"] = set().union(*(samples for _, samples in pages))
                return names - ONLY_ONCE_IT_HAPPENED <= seen["samples"]

            try:
                await until(complete, seconds=90)
            except TimeoutError:
                assert names - ONLY_ONCE_IT_HAPPENED <= seen["samples"]
            assert {re.sub("_(total|count)$", "", name) for name in names} <= seen["families"]


async def scraped(address: str) -> tuple[set[str], set[str]]:
    """Names of families, and of samples that have a value; nothing while nobody answers."""
    try:
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"{address}/metrics", timeout=10)).text
    except httpx.TransportError:
        return set(), set()
    families = list(text_string_to_metric_families(page))
    return {family.name for family in families}, {
        sample.name for family in families for sample in family.samples
    }


@asynccontextmanager
async def process(
    service: Service, command: str, postgres: PostgresServer, log_url: str
) -> AsyncIterator[str]:
    """The address of a real process of a service on a database of its own."""
    async with running(service, postgres) as box:
        (port,) = free_ports(1)
        settings = {**ENVIRONMENT, "database_url": box.db.url, "log_url": log_url, "port": str(port)}
        env = {**os.environ, **{f"FAIRLOOP_{name.upper()}": value for name, value in settings.items()}}
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"{service.package}.main", command, env=env, stdout=subprocess.DEVNULL
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            started.send_signal(signal.SIGTERM)
            assert await started.wait() == 0
