"""What values.schema.json refuses, and that the schemas of objects refuse what they do not know."""

import subprocess
from pathlib import Path

import pytest
import yaml
from deploy.check.helm import schemas
from deploy.check.helm.programs import program
from deploy.check.helm.rendering import CHART, KUBERNETES, Object, helm, of_kind, template


@pytest.mark.parametrize(
    "given",
    [
        "imagge.tag=1",
        "image.tag=latest",
        "kafka.brokers=null",
        "kafka.brokers[0]=kafka://kafka:9092",
        "kafka.parameters=sslkey=/etc/key.pem&sslpassword=guessed",
        "settings.LOG_URL=kafka://kafka:9092",
        "settings.MASTER_KEY=AAAA",
        "settings.SMTP_URL=smtp://user:password@host",
        "settings.PORT=9000",
        "settings.timezone=UTC",
        "secretSettings.PSEUDONYM_KEY.value=AAAA",
        "secretSettings.TOKEN_PUBLIC_KEY=null",
        "worker.keda.minReplicas=0",
        "api.replicas=0",
        "services.bonus.api.replica=2",
        "services.bonus.secretSettings.DATABASE_URL=null",
        "services.bonus.calls[0]=payroll",
        "services.payroll.digest=",
        "networkPolicy.database.port=0",
        "networkPolicy.clients[0].ip=10.0.0.0/8",
        "secretsAs=values",
    ],
)
def test_values_that_mean_nothing_or_harm_are_refused(given: str) -> None:
    done = template("--set", given)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def test_a_service_overrides_what_holds_for_all_also_with_nothing_zero_or_no() -> None:
    done = template(
        "--set", "api.autoscaling.enabled=true", "--set", "services.bonus.api.autoscaling.enabled=false",
        "--set", "services.survey-intake.settings.TIMEZONE=",
    )  # fmt: skip
    found = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout) if one}
    scaled = {name for kind, name in found if kind == "HorizontalPodAutoscaler"}
    assert scaled == {
        f"fairloop-{name}-api" for name in ("survey-intake", "attribution", "kpi-aggregator", "closed-loop")
    }
    assert found["ConfigMap", "fairloop-survey-intake"]["data"]["FAIRLOOP_TIMEZONE"] == ""
    assert found["ConfigMap", "fairloop-bonus"]["data"]["FAIRLOOP_TIMEZONE"] == "UTC"


def test_parameters_of_the_brokers_address_come_after_it() -> None:
    done = template("--set", "kafka.parameters=sslmode=verify-full&sslrootcert=/etc/ca.pem")
    maps = [one for one in yaml.safe_load_all(done.stdout) if one and one["kind"] == "ConfigMap"]
    told = {one["data"]["FAIRLOOP_LOG_URL"] for one in maps}
    assert told == {"kafka://kafka:9092?sslmode=verify-full&sslrootcert=/etc/ca.pem"}


def test_further_rules_of_all_workers_and_of_one_are_added_up() -> None:
    done = template(
        "--set", "worker.egress[0].ports[0].port=4318", "--set", "services.bonus.worker.egress[0].ports[0].port=25"
    )  # fmt: skip
    policies = {
        one["metadata"]["name"]: [port["port"] for rule in one["spec"]["egress"] for port in rule["ports"]]
        for one in yaml.safe_load_all(done.stdout)
        if one and one["kind"] == "NetworkPolicy"
    }
    assert {4318, 25} <= set(policies["fairloop-bonus-worker"])
    assert {4318, 443} <= set(policies["fairloop-closed-loop-worker"])
    assert 4318 not in policies["fairloop-bonus-api"]


def test_digests_win_over_tags() -> None:
    digest = "sha256:" + "0" * 64
    done = template(
        "--set", f"services.bonus.digest={digest}", "--set", "image.registry=registry.example.org"
    )
    assert f"image: registry.example.org/fairloop/bonus@{digest}" in done.stdout
    assert "image: registry.example.org/fairloop/attribution:0.1.0" in done.stdout


def test_a_packaged_chart_renders_the_same(tmp_path: Path) -> None:
    assert helm("package", str(CHART), "-d", str(tmp_path)).returncode == 0
    (package,) = tmp_path.glob("*.tgz")
    packaged = helm("template", "fairloop", str(package), "-n", "fairloop", "--kube-version", KUBERNETES)
    assert packaged.stdout == template().stdout


def deployment() -> Object:
    broken = of_kind("values", "Deployment")[0]
    return {**broken, "spec": {**broken["spec"], "replicaz": 1}}


def monitor() -> Object:
    broken = of_kind("values-production", "ServiceMonitor")[0]
    return {**broken, "spec": {**broken["spec"], "endpointz": []}}


def scaler() -> Object:
    broken = of_kind("values-production", "ScaledObject")[0]
    return {**broken, "spec": {**broken["spec"], "maxReplicas": 1}}


@pytest.mark.parametrize("broken", [deployment, monitor, scaler])
def test_a_misspelt_field_is_found_by_the_schemas(broken: "type[Object]", tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(broken()))
    places = [
        f"-schema-location={folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        for folder in (schemas.builtin(KUBERNETES), schemas.operators())
    ]
    command: list[str | Path] = [program("kubeconform"), "-strict", *places, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "additionalProperties" in done.stdout or "additional properties" in done.stdout.lower()
