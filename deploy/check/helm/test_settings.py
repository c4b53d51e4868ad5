"""What the pods are told: settings their service knows, everything it needs, and no secret but by reference."""

import json
import re
from typing import get_args

import pytest
from deploy.check.helm.rendering import (
    RELEASE,
    VARIANTS,
    WORKLOADS,
    container_of,
    name_of,
    of_kind,
    pod_labels,
    pod_of,
    rendered,
)
from pydantic import SecretStr

from fairloop.service import load_service
from fairloop.services import SERVICES
from fairloop.settings import ServiceSettings
from fairloop.testing import PUBLIC_KEY

pytestmark = pytest.mark.parametrize("variant", VARIANTS)

FOLDER = "FAIRLOOP_SECRETS_DIR"


def settings_of(service: str) -> type[ServiceSettings]:
    return load_service(SERVICES[service]).settings


def is_secret(name: str, settings: type[ServiceSettings]) -> bool:
    annotation = settings.model_fields[name].annotation
    return name == "database_url" or annotation is SecretStr or SecretStr in get_args(annotation)


def variables(prefixed: "list[str] | dict[str, str]") -> set[str]:
    """Fields, of FAIRLOOP_… variables."""
    assert all(name.startswith("FAIRLOOP_") for name in prefixed)
    return {name.removeprefix("FAIRLOOP_").lower() for name in prefixed if name != FOLDER}


def told(variant: str, workload: dict[str, object]) -> tuple[dict[str, str], set[str]]:
    """(the plain variables with their values, the fields that are told by reference)."""
    container, pod = container_of(workload), pod_of(workload)
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(variant, "ConfigMap")}
    plain: dict[str, str] = {}
    for source in container.get("envFrom", []):
        plain |= maps[source["configMapRef"]["name"]]
    env = container.get("env", [])
    plain |= {one["name"]: one["value"] for one in env if "value" in one}
    referred = variables([one["name"] for one in env if "secretKeyRef" in one.get("valueFrom", {})])
    for volume in pod["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            referred |= {item["path"].removeprefix("fairloop_") for item in source["secret"]["items"]}
    return plain, referred


def test_every_service_is_told_all_it_needs_and_nothing_it_does_not_know(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        fields = settings_of(pod_labels(workload)["app.kubernetes.io/name"]).model_fields
        plain, referred = told(variant, workload)
        given = variables(plain) | referred
        assert given <= fields.keys(), name_of(workload)
        assert {name for name, field in fields.items() if field.is_required()} <= given, name_of(workload)


def test_secrets_are_told_by_reference_and_nothing_else_is(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        settings = settings_of(pod_labels(workload)["app.kubernetes.io/name"])
        plain, referred = told(variant, workload)
        assert not [name for name in variables(plain) if is_secret(name, settings)], name_of(workload)
        assert {name for name in referred if not is_secret(name, settings)} <= {"token_public_key", "log_url"}
        assert "log_url" not in variables(plain) & referred, "the variable would hide the file"


def test_the_address_of_brokers_that_want_passwords_is_a_secret_of_each_who_asks_them(variant: str) -> None:
    kept = {}
    for workload in of_kind(variant, *WORKLOADS):
        for volume in pod_of(workload)["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                if source["secret"]["items"][0]["path"] == "fairloop_log_url":
                    kept[name_of(workload)] = source["secret"]["name"]
    if variant == "values-production":
        assert len(kept) == len(of_kind(variant, *WORKLOADS))
        assert kept.pop(f"Job/{RELEASE}-attribution-topics") == "fairloop-topics"
        assert all(secret.removeprefix("fairloop-") in name for name, secret in kept.items())
    else:
        assert kept == {}


def test_no_secret_is_rendered(variant: str) -> None:
    assert not of_kind(variant, "Secret")
    assert not re.search(r"://[^/\s\"]*:[^/\s\"]*@|BEGIN [A-Z ]*PRIVATE KEY", rendered(variant))


def test_mounted_secrets_are_where_the_settings_look(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        plain, _ = told(variant, workload)
        mounts = {one["name"]: one["mountPath"] for one in container_of(workload)["volumeMounts"]}
        assert mounts.get("secrets") == plain.get(FOLDER)
        assert ("secrets" in mounts) == (variant != "secrets in the environment")


def test_addresses_of_peers_are_services_of_this_release(variant: str) -> None:
    services = {one["metadata"]["name"] for one in of_kind(variant, "Service")}
    for workload in of_kind(variant, "Deployment"):
        plain, _ = told(variant, workload)
        for name, address in json.loads(plain["FAIRLOOP_PEER_URLS"]).items():
            assert address == f"http://{RELEASE}-{name}"
            assert f"{RELEASE}-{name}" in services


def test_the_settings_can_be_read(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {
        "master_key": "A" * 43 + "=",
        "database_url": "postgresql://a:b@c/d",
        "log_url": "kafka://a:b@c:9093?sslmode=verify-full&sslrootcert=/etc/fairloop/ca.pem",
        "smtp_url": "smtp://mail",
        "token_public_key": PUBLIC_KEY,
    }
    for workload in of_kind(variant, *WORKLOADS):
        plain, referred = told(variant, workload)
        with monkeypatch.context() as environment:
            for name, value in plain.items():
                if name != FOLDER:
                    environment.setenv(name, value)
            for name in referred:
                environment.setenv(f"FAIRLOOP_{name.upper()}", secret.get(name, "kept elsewhere"))
            settings = settings_of(pod_labels(workload)["app.kubernetes.io/name"])()
        assert settings.host == "0.0.0.0"  # noqa: S104 - reached from outside the pod, through a NetworkPolicy
        assert settings.log_url.startswith("kafka://")
        assert 10 + settings.drain_seconds < 20, "a pod has to be gone within 20 s"
