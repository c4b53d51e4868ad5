"""The chart on a real API server, with real controllers and pretended nodes: one release from its install to its end.

The tests are one story and run in this order.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import yaml
from deploy.check.helm import rendering, schemas
from deploy.check.helm.programs import CHECKOUT
from deploy.check.helm.rendering import (
    CHART,
    RELEASE,
    VARIANTS,
    Object,
    helm,
    name_of,
    of_kind,
    pod_labels,
    pod_of,
)
from deploy.check.kubernetes.cluster import NODES, Cluster, running, wait

SPACE = "fairloop"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
IRREGULAR = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
PRODUCTION = VARIANTS["values-production"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With a namespace that takes nothing but restricted pods, and the operators' definitions."""
    with running(tmp_path_factory.mktemp("cluster")) as started:
        for crd in schemas.crds():
            started.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
            group, names = crd["spec"]["group"], crd["spec"]["names"]
            (served,) = [version["name"] for version in crd["spec"]["versions"] if version["served"]]
            wait(partial(started.answers, f"/apis/{group}/{served}/{names['plural']}"), names["plural"])
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": SPACE, "labels": RESTRICTED},
        }
        started.create("/api/v1/namespaces", namespace)
        yield started


def path_of(one: Object) -> str:
    api = f"/api/{one['apiVersion']}" if one["apiVersion"] == "v1" else f"/apis/{one['apiVersion']}"
    kind = one["kind"]
    return f"{api}/namespaces/{SPACE}/{IRREGULAR.get(kind, kind.lower() + 's')}"


def deployed(cluster: Cluster, *arguments: str) -> Any:
    command = ["upgrade", "--install", RELEASE, str(CHART), *PRODUCTION, *arguments]
    return helm(*command, "-n", SPACE, "--kubeconfig", str(cluster.kubeconfig), "--wait", "--timeout", "4m")


def deployments(cluster: Cluster) -> dict[str, Any]:
    found = cluster.read(f"/apis/apps/v1/namespaces/{SPACE}/deployments")["items"]
    return {one["metadata"]["name"]: one for one in found}


def jobs(cluster: Cluster) -> dict[str, Any]:
    found = cluster.read(f"/apis/batch/v1/namespaces/{SPACE}/jobs")["items"]
    return {one["metadata"]["name"]: one for one in found}


def images(cluster: Cluster) -> set[str]:
    """The versions that Deployments ask for."""
    found = (pod_of(one)["containers"][0]["image"] for one in deployments(cluster).values())
    return {image.rpartition(":")[2] for image in found}


def complete(deployment: Any) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    return bool(
        status.get("updatedReplicas") == status.get("replicas") == status.get("readyReplicas") == wanted
    )


def generations(cluster: Cluster) -> dict[str, int]:
    return {name: one["metadata"]["generation"] for name, one in deployments(cluster).items()}


def pods_of_deployments(cluster: Cluster) -> set[str]:
    """Their names."""
    asked = {"labelSelector": "app.kubernetes.io/component in (api,worker)"}
    found = cluster.api.get(f"/api/v1/namespaces/{SPACE}/pods", params=asked).json()["items"]
    return {one["metadata"]["name"] for one in found}


def ready(cluster: Cluster, name: str) -> int:
    count: int = deployments(cluster)[name]["status"].get("readyReplicas", 0)
    return count


def hooks(cluster: Cluster, revision: int = 0) -> list[dict[str, Any]]:
    """Of a revision, 0 being the newest, in the order in which they were run."""
    which = ["--revision", str(revision)] if revision else []
    said = helm("status", RELEASE, *which, "-n", SPACE, "-o", "json", "--kubeconfig", str(cluster.kubeconfig))
    found: list[dict[str, Any]] = json.loads(said.stdout)["hooks"]
    return sorted(found, key=lambda hook: moment(hook, "started_at"))


def moment(hook: dict[str, Any], which: str) -> datetime:
    return datetime.fromisoformat(hook["last_run"][which])


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_server_accepts_every_object_and_every_pod_as_restricted(cluster: Cluster, variant: str) -> None:
    for one in rendering.objects(variant):
        cluster.create(path_of(one), one, dry=True)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}
    needed = {pod_of(one)["serviceAccountName"] for one in of_kind(variant, *rendering.WORKLOADS)}
    for name in sorted(needed):
        cluster.create(path_of(account), {**account, "metadata": {"name": name}})
    try:
        for workload in of_kind(variant, *rendering.WORKLOADS):
            metadata = {"generateName": "tried-", "labels": pod_labels(workload)}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_of(workload)}
            cluster.create(path_of(pod), pod, dry=True)
    finally:
        for name in sorted(needed):
            cluster.api.delete(f"{path_of(account)}/{name}")


def test_the_server_accepts_the_databases_of_the_trial(cluster: Cluster) -> None:
    databases = list(yaml.safe_load_all((CHECKOUT / "deploy/helm/trial/postgresql.yaml").read_text()))
    assert len(databases) == 5
    for one in databases:
        cluster.create(path_of(one), one, dry=True)


def test_an_install_migrates_makes_topics_and_then_starts_everything(cluster: Cluster) -> None:
    done = deployed(cluster)
    assert done.returncode == 0, done.stderr
    ran = hooks(cluster)
    assert {hook["last_run"]["phase"] for hook in ran} == {"Succeeded"}
    ran_jobs = [hook for hook in ran if hook["kind"] == "Job"]
    assert [hook["name"].rpartition("-")[2] for hook in ran_jobs] == ["migrate"] * 5 + ["topics"]
    for earlier, later in pairwise(ran_jobs):
        assert moment(earlier, "completed_at") <= moment(later, "started_at")
    begun = [
        datetime.fromisoformat(one["metadata"]["creationTimestamp"]) for one in deployments(cluster).values()
    ]
    assert len(begun) == 10
    assert min(begun) >= moment(ran_jobs[-1], "completed_at").replace(microsecond=0), (
        "the server tells whole seconds"
    )
    assert all(one["status"]["availableReplicas"] >= 1 for one in deployments(cluster).values())


def test_hooks_that_succeeded_leave_nothing_behind(cluster: Cluster) -> None:
    assert jobs(cluster) == {}
    accounts = cluster.read(f"/api/v1/namespaces/{SPACE}/serviceaccounts")["items"]
    assert "fairloop-jobs" not in {one["metadata"]["name"] for one in accounts}
    policies = cluster.read(f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/networkpolicies")["items"]
    assert len(policies) == 10


def test_the_least_number_of_replicas_comes_up_and_is_spread_over_the_nodes(cluster: Cluster) -> None:
    wait(lambda: ready(cluster, "fairloop-survey-intake-api") == NODES, "as many as the HPA says at least")
    asked = {"labelSelector": "app.kubernetes.io/name=survey-intake,app.kubernetes.io/component=api"}
    pods = cluster.api.get(f"/api/v1/namespaces/{SPACE}/pods", params=asked).json()["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == NODES


def test_an_upgrade_replaces_every_pod(cluster: Cluster) -> None:
    before = pods_of_deployments(cluster)
    done = deployed(cluster, "--set", "image.tag=0.2.0")
    assert done.returncode == 0, done.stderr
    assert images(cluster) == {"0.2.0"}
    wait(lambda: not before & pods_of_deployments(cluster), "the old pods are gone")
    wait(lambda: all(complete(one) for one in deployments(cluster).values()), "all new ones are there")


def test_a_migration_that_is_not_done_in_time_stops_the_upgrade_and_the_old_version_goes_on(
    cluster: Cluster,
) -> None:
    before, pods = generations(cluster), pods_of_deployments(cluster)
    done = deployed(
        cluster, "--set", "image.tag=0.3.0", "--set", "nodeSelector.disk=none-has-it",
        "--set", "jobs.activeDeadlineSeconds=3",
    )  # fmt: skip
    assert done.returncode != 0
    assert "pre-upgrade hooks failed" in done.stderr
    assert list(jobs(cluster)) == ["fairloop-attribution-migrate"], (
        "the first is kept, the others never began"
    )
    assert generations(cluster) == before
    assert pods_of_deployments(cluster) == pods
    assert images(cluster) == {"0.2.0"}


def test_the_same_upgrade_goes_through_once_the_migration_does(cluster: Cluster) -> None:
    done = deployed(cluster, "--set", "image.tag=0.3.0")
    assert done.returncode == 0, done.stderr
    assert images(cluster) == {"0.3.0"}
    assert jobs(cluster) == {}


def test_a_rollback_puts_the_old_version_back_without_a_migration(cluster: Cluster) -> None:
    ran = hooks(cluster, revision=2)
    done = helm("rollback", RELEASE, "2", "-n", SPACE, "--wait", "--kubeconfig", str(cluster.kubeconfig))
    assert done.returncode == 0, done.stderr
    assert images(cluster) == {"0.2.0"}
    assert hooks(cluster) == ran, "when they ran for that revision"


def test_an_uninstall_leaves_nothing_of_the_release(cluster: Cluster) -> None:
    done = helm("uninstall", RELEASE, "-n", SPACE, "--wait", "--kubeconfig", str(cluster.kubeconfig))
    assert done.returncode == 0, done.stderr
    for kind in {(one["kind"], path_of(one)) for one in rendering.objects("values-production")}:
        found = cluster.api.get(
            kind[1], params={"labelSelector": f"app.kubernetes.io/instance={RELEASE}"}
        ).json()
        assert [name_of({"kind": kind[0], **one}) for one in found["items"]] == []
