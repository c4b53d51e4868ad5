"""The chart as Helm renders it, for every values file and for what these leave out."""

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml
from deploy.check.helm.programs import CHECKOUT, program

CHART = CHECKOUT / "deploy/helm/fairloop"
KUBERNETES = "1.34.0"
RELEASE = "fairloop"
Object = dict[str, Any]

VARIANTS: Mapping[str, tuple[str, ...]] = {
    path.stem: ("-f", str(path)) for path in sorted(CHART.glob("values*.yaml"))
} | {"secrets in the environment": ("--set", "secretsAs=env")}
"""Name → arguments of `helm template` and `helm lint`."""

WORKLOADS = ("Deployment", "Job")


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program("helm"), *arguments], capture_output=True, text=True, check=False)


def template(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return helm("template", RELEASE, str(CHART), "-n", RELEASE, "--kube-version", KUBERNETES, *arguments)


@cache
def rendered(variant: str) -> str:
    """All objects of a variant, as YAML. Raises RuntimeError with what Helm says."""
    done = template(*VARIANTS[variant])
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@cache
def objects(variant: str) -> tuple[Object, ...]:
    return tuple(one for one in yaml.load_all(rendered(variant), Loader=yaml.CSafeLoader) if one)


def of_kind(variant: str, *kinds: str) -> list[Object]:
    return [one for one in objects(variant) if one["kind"] in kinds]


def name_of(one: Object) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def pod_of(workload: Object) -> Object:
    """The pod's spec, of a Deployment or a Job."""
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def pod_labels(workload: Object) -> dict[str, str]:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def container_of(workload: Object) -> Object:
    """The one container of its pod."""
    (container,) = pod_of(workload)["containers"]
    assert isinstance(container, dict)
    return container


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


def selected_by(selector: Mapping[str, str], workloads: Iterable[Object]) -> list[Object]:
    return [one for one in workloads if selects(selector, pod_labels(one))]
