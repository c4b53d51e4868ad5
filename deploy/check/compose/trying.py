"""What is tried on the running installation, from outside as an operator would."""

import json
import os
import re
import subprocess
import sys

import httpx
from deploy.check.compose.installation import DEPLOY, PROCESSES, ROOT, URLS, Installation, until

from fairloop.auth import Role, mint_token
from fairloop.cli.secret_files import read_private_key

SECRETS = DEPLOY / "secrets"
A_LIST = {
    "survey-intake": "/v1/connections",
    "attribution": "/v1/org-units",
    "kpi-aggregator": "/v1/kpi-settings",
    "closed-loop": "/v1/alert-rules",
    "bonus": "/v1/plans",
}


def what_runs(running: Installation) -> str:
    """The versions, as the programs inside of the containers say."""
    jars = running.inside("kafka-1", "bash", "-c", "echo /opt/kafka/libs/kafka-clients-*.jar")
    kafka = re.search(r"kafka-clients-([\d.]+)\.jar", jars)
    assert kafka is not None, jars
    postgres = running.inside("postgres", "postgres", "--version")
    python = running.inside("bonus-api", "python", "--version")
    return f"{postgres}, Kafka {kafka[1]}, {python}"


def token() -> str:
    return (SECRETS / "admin_token").read_text().strip()


def ask_every_api() -> None:
    """With the operator's token each answers, without it none. Raises RuntimeError."""
    for name, url in URLS.items():
        known = httpx.get(url + A_LIST[name], headers={"Authorization": f"Bearer {token()}"}, timeout=10)
        unknown = httpx.get(url + A_LIST[name], timeout=10)
        if (known.status_code, unknown.status_code) != (200, 401):
            raise RuntimeError(f"{name}: {known.status_code} with the token, {unknown.status_code} without")


def play_the_story() -> str:
    """`fairloop demo --target …`; says how many figures it checked. Raises RuntimeError when one is off."""
    approver = mint_token(
        read_private_key(SECRETS), sub="approver", role_names=[Role.FINANCE], valid_seconds=3600
    )
    done = subprocess.run(
        [sys.executable, "-m", "fairloop.cli", "demo", *(f"--target={url}" for url in URLS.values())],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "FAIRLOOP_TOKEN": token(), "FAIRLOOP_APPROVER_TOKEN": approver},
    )
    if done.returncode != 0:
        raise RuntimeError(f"the story:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
    verdict = re.search(r"^(\d+ figures checked) in .*, (all .*)$", done.stdout, re.M)
    assert verdict is not None, done.stdout
    return f"{verdict[1]}, {verdict[2]}"


def cases() -> set[str]:
    """The ids of the first 500 cases there are."""
    answer = httpx.get(
        f"{URLS['closed-loop']}/v1/cases",
        params={"limit": 500},
        headers={"Authorization": f"Bearer {token()}"},
        timeout=10,
    ).raise_for_status()
    return {case["id"] for case in answer.json()["items"]}


def prometheus_sees_all(running: Installation) -> str:
    """Prometheus reads the metrics of every process and has the alert rules."""
    expected = len(running.containers(*PROCESSES))

    def said(path: str) -> dict[str, list[dict[str, str]]]:
        asked = running.inside("prometheus", "wget", "-qO-", f"http://127.0.0.1:9090/api/v1/{path}")
        data: dict[str, list[dict[str, str]]] = json.loads(asked)["data"]
        return data

    def reached() -> bool:
        targets = said("targets?state=active")["activeTargets"]
        return [target["health"] for target in targets] == ["up"] * expected

    until(reached, f"Prometheus reaches {expected} processes")
    return f"{expected} processes read, {len(said('rules')['groups'])} groups of rules loaded"
