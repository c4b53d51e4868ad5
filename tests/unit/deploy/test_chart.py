"""What the Helm chart says about the services is what their code does. `make helm-check` looks at the chart itself."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import fairloop
from fairloop.events.catalogue import consumed_by
from fairloop.services import SERVICES

CHECKOUT = Path(__file__).resolve().parents[3]
CHART = CHECKOUT / "deploy/helm/fairloop"
ASKED = re.compile(r'\bpeers\((?:"(?P<name>[a-z-]+)"|(?P<constant>[A-Z_]+))\)')


@cache
def values(file: str = "values.yaml") -> dict[str, Any]:
    said: dict[str, Any] = yaml.safe_load((CHART / file).read_text())
    return said


def asked_by(service: str) -> set[str]:
    """The services that a service's code opens a client for."""
    found = set()
    for path in (CHECKOUT / f"services/{service}/src").rglob("*.py"):
        text = path.read_text()
        for match in ASKED.finditer(text):
            constant = match["constant"]
            meant = re.search(rf'^{constant} = "([a-z-]+)"$', text, re.MULTILINE) if constant else None
            found.add(meant[1] if meant else match["name"])
    return found


def test_the_chart_has_the_alert_rules_of_the_repository() -> None:
    ours = (CHECKOUT / "deploy/prometheus/alerts.yaml").read_bytes()
    assert (CHART / "files/alerts.yaml").read_bytes() == ours, "run: make helm-alerts"


def test_the_chart_installs_the_version_it_comes_with() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == fairloop.__version__


def test_the_chart_knows_every_service() -> None:
    assert values()["services"].keys() == SERVICES.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_the_chart_lets_a_service_ask_whom_its_code_asks(service: str) -> None:
    assert set(values()["services"][service]["calls"]) == asked_by(service)


@pytest.mark.parametrize("service", SERVICES)
def test_only_a_service_that_consumes_is_scaled_by_its_lag(service: str) -> None:
    assert values()["services"][service]["consumes"] == bool(consumed_by(service))


@pytest.mark.parametrize("service", SERVICES)
def test_no_more_workers_are_started_than_a_service_has_partitions_to_read(service: str) -> None:
    most = values("values-production.yaml")
    scaled = most["worker"]["keda"] | most["services"][service].get("worker", {}).get("keda", {})
    consumed = consumed_by(service)
    if consumed and scaled["enabled"]:
        assert scaled["maxReplicas"] <= sum(topic.partitions for topic in consumed)
