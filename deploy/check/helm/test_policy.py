"""What must hold for every object the chart renders, whatever the values."""

import pytest
import yaml
from deploy.check.helm.programs import CHECKOUT
from deploy.check.helm.rendering import (
    VARIANTS,
    WORKLOADS,
    container_of,
    name_of,
    objects,
    of_kind,
    pod_labels,
    pod_of,
    selected_by,
    selects,
)

pytestmark = pytest.mark.parametrize("variant", VARIANTS)


def test_no_pod_has_a_right_it_does_not_need(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        pod, container = pod_of(workload), container_of(workload)
        assert pod["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 10001}.items()
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name_of(workload)
        assert pod["automountServiceAccountToken"] is False
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_accounts_exist_and_carry_no_token(variant: str) -> None:
    accounts = {one["metadata"]["name"]: one for one in of_kind(variant, "ServiceAccount")}
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())
    assert {pod_of(one)["serviceAccountName"] for one in of_kind(variant, *WORKLOADS)} == accounts.keys()


def test_no_variable_of_a_cluster_comes_between_the_settings(variant: str) -> None:
    assert all(pod_of(one)["enableServiceLinks"] is False for one in of_kind(variant, *WORKLOADS))


def test_images_have_a_version(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        name, _, version = container_of(workload)["image"].rpartition("/")[2].partition(":")
        assert name == pod_labels(workload)["app.kubernetes.io/name"]
        assert version not in {"", "latest"}, name_of(workload)


def test_every_container_has_requests_and_limits(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        resources = container_of(workload)["resources"]
        for kind in ("requests", "limits"):
            assert resources[kind].keys() == {"cpu", "memory", "ephemeral-storage"}, name_of(workload)


def test_what_serves_is_asked_whether_it_lives_and_whether_it_is_ready(variant: str) -> None:
    for deployment in of_kind(variant, "Deployment"):
        container = container_of(deployment)
        asked = {
            kind: container[f"{kind}Probe"]["httpGet"]["path"]
            for kind in ("startup", "liveness", "readiness")
        }
        assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        assert pod_of(deployment)["terminationGracePeriodSeconds"] > 20


def test_an_update_takes_no_pod_away_before_its_successor_is_ready(variant: str) -> None:
    for deployment in of_kind(variant, "Deployment"):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_a_drained_node_takes_one_pod_at_a_time_and_is_never_held_up(variant: str) -> None:
    deployments = of_kind(variant, "Deployment")
    budgets = of_kind(variant, "PodDisruptionBudget")
    assert all(one["spec"]["maxUnavailable"] == 1 for one in budgets)
    held = [selected_by(one["spec"]["selector"]["matchLabels"], deployments) for one in budgets]
    assert sorted(name_of(one) for found in held for one in found) == sorted(map(name_of, deployments))


def test_replicas_are_spread(variant: str) -> None:
    for deployment in of_kind(variant, "Deployment"):
        for spread in pod_of(deployment)["topologySpreadConstraints"]:
            assert selects(spread["labelSelector"]["matchLabels"], pod_labels(deployment))
            assert spread["whenUnsatisfiable"] == "ScheduleAnyway"


def test_selectors_of_deployments_tell_all_workloads_apart(variant: str) -> None:
    workloads = of_kind(variant, *WORKLOADS)
    for deployment in of_kind(variant, "Deployment"):
        assert selected_by(deployment["spec"]["selector"]["matchLabels"], workloads) == [deployment]


def test_services_lead_to_a_port_that_is_open(variant: str) -> None:
    for service in of_kind(variant, "Service"):
        (deployment,) = selected_by(service["spec"]["selector"], of_kind(variant, "Deployment"))
        open_ports = {port["name"] for port in container_of(deployment)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= open_ports


def test_what_refers_to_an_object_finds_it(variant: str) -> None:
    here = {name_of(one) for one in objects(variant)}
    for scaler in of_kind(variant, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        assert f"{target.get('kind', 'Deployment')}/{target['name']}" in here
    for ingress in of_kind(variant, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert f"Service/{path['backend']['service']['name']}" in here
            assert rule["host"] in ingress["spec"]["tls"][0]["hosts"]
    for deployment in of_kind(variant, "Deployment"):
        for source in container_of(deployment)["envFrom"]:
            assert f"ConfigMap/{source['configMapRef']['name']}" in here


def test_nobody_counts_replicas_of_what_is_scaled(variant: str) -> None:
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]
        for one in of_kind(variant, "HorizontalPodAutoscaler", "ScaledObject")
    }
    for deployment in of_kind(variant, "Deployment"):
        assert ("replicas" in deployment["spec"]) == (deployment["metadata"]["name"] not in scaled)


def test_databases_are_migrated_before_topics_are_made_before_anything_runs(variant: str) -> None:
    hooks = {
        name_of(one): int(one["metadata"]["annotations"]["helm.sh/hook-weight"])
        for one in objects(variant)
        if "helm.sh/hook" in one["metadata"].get("annotations", {})
    }
    jobs = {name_of(one): container_of(one)["args"] for one in of_kind(variant, "Job")}
    migrations = [name for name, args in jobs.items() if args == ["migrate"]]
    topics = [name for name, args in jobs.items() if args == ["topics"]]
    rest = hooks.keys() - jobs.keys()
    assert len(migrations) == 5
    assert len(topics) == 1
    assert "ServiceAccount/fairloop-jobs" in rest
    assert max(hooks[name] for name in rest) < min(hooks[name] for name in migrations)
    assert max(hooks[name] for name in migrations) < hooks[topics[0]]


def test_hooks_run_before_installs_and_upgrades_and_leave_only_what_failed(variant: str) -> None:
    for one in (*of_kind(variant, "Job"), *of_kind(variant, "ServiceAccount", "NetworkPolicy")):
        notes = one["metadata"].get("annotations", {})
        if one["kind"] == "Job" or "jobs" in one["metadata"]["name"]:
            assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
            assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"


def test_prometheus_is_given_the_rules_of_the_repository(variant: str) -> None:
    rules = of_kind(variant, "PrometheusRule")
    assert len(rules) == ("production" in variant)
    expected = yaml.safe_load((CHECKOUT / "deploy/prometheus/alerts.yaml").read_text())
    assert all(one["spec"] == expected for one in rules)


def test_prometheus_scrapes_every_process_under_the_names_the_rules_rest_on(variant: str) -> None:
    for monitor in of_kind(variant, "ServiceMonitor"):
        services = [
            one
            for one in of_kind(variant, "Service")
            if selects(monitor["spec"]["selector"]["matchLabels"], one["metadata"]["labels"])
        ]
        assert len(services) == len(of_kind(variant, "Deployment"))
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["honorLabels"] is True, "the label `service` is ours"
        assert {one["metadata"]["labels"][monitor["spec"]["jobLabel"]] for one in services} == {"fairloop"}
        assert all(endpoint["port"] in {port["name"] for port in one["spec"]["ports"]} for one in services)
