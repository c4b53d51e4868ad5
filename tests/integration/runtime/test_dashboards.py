"""The dashboards: Prometheus understands what they ask, and running services export what they and the rules name."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.runtime.conftest import until
from tests.integration.runtime.watched import (
    DASHBOARDS,
    PROMETHEUS,
    RECORDED,
    dashboard_expressions,
    rule_expressions,
)

from attribution.main import service as attribution
from closed_loop.main import service as closed_loop
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.service import Service
from fairloop.testing import ENVIRONMENT, running, temporary_database
from fairloop.testing_kafka import free_ports
from kpi_aggregator.main import service as kpi_aggregator
from survey_intake.main import service as survey_intake

OF_OTHERS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
"""What dashboards ask beside our own; Prometheus' client for Python tells it."""
ONLY_ONCE_IT_HAPPENED = (
    "fairloop_intake_deliveries",  # a delivery was taken
    "fairloop_relay",  # an event was carried
    "fairloop_http_request_seconds",  # a request was answered
    "fairloop_events",  # an event was applied
    "fairloop_batch_",  # in a batch
)


def metrics_named() -> set[str]:
    asked = "\n".join([*rule_expressions(), *dashboard_expressions().values()])
    return set(re.findall(r"\bfairloop_\w+", asked)) | {name for name in OF_OTHERS if name in asked}


def test_prometheus_understands_every_question_of_every_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"asked:{number}", "labels": {"where": where}, "expr": expression}
        for number, (where, expression) in enumerate(dashboard_expressions().items())
    ]
    assert len(rules) > 50
    page = tmp_path / "asked.yaml"
    page.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))
    program = subprocess.run(
        [sys.executable, PROMETHEUS / "promtool.py", "path"], check=True, capture_output=True, text=True
    ).stdout.strip()
    done = subprocess.run([program, "check", "rules", page], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_a_dashboard_can_be_provisioned(dashboard: dict[str, Any]) -> None:
    """An id and a title of its own, panels apart from each other, and one data source that the reader chooses."""
    assert [one["uid"] for one in DASHBOARDS.values()].count(dashboard["uid"]) == 1
    assert [one["title"] for one in DASHBOARDS.values()].count(dashboard["title"]) == 1
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = Counter(
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    )
    assert set(places.values()) == {1}
    assert {x for x, _ in places} == set(range(24))
    used = set(re.findall(r'"uid": "([^"]+)"', json.dumps(panels)))
    assert used == {"${source}"}


def test_recorded_series_are_those_that_a_rule_records() -> None:
    asked = "\n".join([*rule_expressions(), *dashboard_expressions().values()])
    assert set(re.findall(r"\bfairloop:[\w:]+", asked)) <= RECORDED


async def test_running_services_export_every_metric_that_a_rule_or_a_dashboard_names(
    postgres: PostgresServer,
) -> None:
    async with AsyncExitStack() as stack:
        log_db = await stack.enter_async_context(temporary_database(postgres))
        async with open_log(log_db.url) as log:
            await log.create_topics({topic.name: topic.partitions for topic in TOPICS.values()})
        addresses = [
            await stack.enter_async_context(process(service, command, postgres, log_db.url))
            for service, command in (
                (survey_intake, "api"),
                (attribution, "worker"),
                (kpi_aggregator, "worker"),
                (closed_loop, "worker"),
            )
        ]
        names = metrics_named()
        at_once = {name for name in names if not name.startswith(ONLY_ONCE_IT_HAPPENED)}
        seen: dict[str, set[str]] = {}

        async def complete() -> bool:
            pages = [await scraped(address) for address in addresses]
            seen["families"] = set().union(*(families for families, _ in pages))
            seen["samples"] = set().union(*(samples for _, samples in pages))
            return at_once <= seen["samples"]

        try:
            await until(complete, seconds=90)
        except TimeoutError:
            assert at_once <= seen["samples"]
        assert {re.sub("_(total|count|sum|bucket)$", "", name) for name in names} <= seen["families"]
        assert 'fairloop_answer_counted_seconds_bucket{le="60.0"}' in await page_of(addresses[2])


async def page_of(address: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{address}/metrics", timeout=10)).text


async def scraped(address: str) -> tuple[set[str], set[str]]:
    """Names of families, and of samples that have a value; nothing while nobody answers."""
    try:
        page = await page_of(address)
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
