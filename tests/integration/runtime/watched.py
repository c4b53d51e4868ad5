"""What operators are given to watch: alert rules and dashboards, as read from their files."""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "deploy/prometheus"
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "deploy/observability/grafana/dashboards").glob("*.json"))
}

_rules: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in _rules if "alert" in rule]
RECORDED = {rule["record"] for rule in _rules if "record" in rule}


def rule_expressions() -> list[str]:
    return [rule["expr"] for rule in _rules]


def dashboard_expressions() -> dict[str, str]:
    """Where it stands → what is asked, as Prometheus gets it from Grafana."""
    return {
        f"{name}, panel {panel['id']} {panel['title']}, {target['refId']}": _filled_in(target["expr"])
        for name, dashboard in DASHBOARDS.items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    }


def _filled_in(expression: str) -> str:
    return expression.replace("$__rate_interval", "5m").replace("$service", "bonus")
