"""The alert rules: Prometheus accepts them, their own tests see each fire, the runbook knows each."""

import re
import subprocess
import sys
from typing import Any

import pytest
from tests.integration.runtime.watched import ALERTS, PROMETHEUS, ROOT


@pytest.mark.parametrize("action", ["check", "test"])
def test_prometheus_own_tool_is_content(action: str) -> None:
    done = subprocess.run(
        [sys.executable, PROMETHEUS / "promtool.py", action], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert {"summary", "description", "runbook_url"} == rule["annotations"].keys()
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings, "the runbook has an entry of this name"


def test_every_alert_is_seen_firing_by_the_rules_own_tests() -> None:
    tests = "".join(path.read_text() for path in PROMETHEUS.glob("*_test.yaml"))
    firing = set(re.findall(r'ALERTS\{alertname="(\w+)", alertstate="firing", severity', tests))
    firing |= set(re.findall(r"alertname: (\w+)\n +exp_alerts:", tests))
    assert firing == {rule["alert"] for rule in ALERTS}
