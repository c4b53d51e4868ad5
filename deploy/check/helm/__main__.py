"""`make helm-check`: the chart under real tools and our own policy; a table of what was run, on what, in which version.

Ends with status 1 when a check fails, and shows what it said.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path

import yaml
from deploy.check.helm import schemas
from deploy.check.helm.programs import CACHE, CHECKOUT, HERE, program, version
from deploy.check.helm.rendering import CHART, KUBERNETES, VARIANTS, helm, objects, rendered

TRIAL = CHECKOUT / "deploy/helm/trial"
KUBERNETES_VERSIONS = ("1.29.0", KUBERNETES, "1.37.0")
"""The oldest the chart says it runs on, the one it is rendered for, the newest there are schemas of."""
OPERATED = ("keda.sh/", "monitoring.coreos.com/", "postgresql.cnpg.io/", "kafka.strimzi.io/")
NOT_SCORED = {
    "container-image-pull-policy": "tags are never moved, and a cluster without a way out cannot pull",
    "deployment-has-host-podantiaffinity": "replicas are spread by topologySpreadConstraints",
    "deployment-replicas": "the small values have one of each; KEDA's minimum is not seen",
}
"""kube-score's test → why it is left out."""
SCORED_TOO = ("container-seccomp-profile", "container-ports-check")


@dataclass(frozen=True)
class Outcome:
    tool: str
    version: str
    on: str
    fine: bool
    said: str


def _run(command: Sequence[str | Path]) -> tuple[bool, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def _validate_version() -> str:
    found = re.search(r"^kubernetes-validate==(\S+)", (HERE / "requirements.lock").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _file_of(variant: str) -> Path:
    path = CACHE / "rendered" / f"{variant.replace(' ', '-')}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(variant))
    return path


def _own_of(variant: str) -> Path:
    """Only Kubernetes' own kinds."""
    path = _file_of(variant).with_suffix(".own.yaml")
    path.write_text(
        yaml.safe_dump_all(one for one in objects(variant) if not one["apiVersion"].startswith(OPERATED))
    )
    return path


def _helm(variant: str) -> Iterator[Outcome]:
    done = helm("lint", "--strict", "--kube-version", KUBERNETES, str(CHART), *VARIANTS[variant])
    yield Outcome(
        "helm lint --strict", version("helm"), variant, done.returncode == 0, done.stdout + done.stderr
    )
    try:
        said = f"{len(objects(variant))} objects"
    except RuntimeError as error:
        yield Outcome("helm template", version("helm"), variant, False, str(error))
    else:
        yield Outcome("helm template", version("helm"), variant, True, said)


def _schemas(variant: str, kubernetes: str) -> Iterator[Outcome]:
    validate = schemas.VENV / "bin/kubernetes-validate"
    fine, said = _run([validate, "--strict", "--quiet", "-k", kubernetes, _own_of(variant)])
    on = f"{variant}, Kubernetes {kubernetes}"
    yield Outcome("kubernetes-validate --strict", _validate_version(), on, fine, said)
    yield _conform(on, kubernetes, [_file_of(variant)])


def _conform(on: str, kubernetes: str, files: Sequence[Path], *, skip: str = "") -> Outcome:
    places = [
        folder / "{{.ResourceKind}}{{.KindSuffix}}.json"
        for folder in (schemas.builtin(kubernetes), schemas.operators())
    ]
    command: list[str | Path] = [program("kubeconform"), "-strict", "-summary"]
    command += ["-skip", skip] if skip else []
    fine, said = _run([*command, *(f"-schema-location={place}" for place in places), *files])
    return Outcome("kubeconform -strict", version("kubeconform"), on, fine, said)


def _scored(variant: str) -> Outcome:
    command: list[str | Path] = [
        program("kube-score"),
        "score",
        "--output-format",
        "ci",
        "--kubernetes-version",
        "v1.34",
    ]
    for name in NOT_SCORED:
        command += ["--ignore-test", name]
    for name in SCORED_TOO:
        command += ["--enable-optional-test", name]
    fine, said = _run([*command, "--exit-one-on-warning", _file_of(variant)])
    complaints = [line for line in said.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))]
    return Outcome("kube-score", version("kube-score"), variant, fine, "\n".join(complaints))


def _policy() -> Outcome:
    fine, said = _run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE])
    return Outcome("our policy", package_version("fairloop"), "every variant", fine, said)


def _installed() -> Outcome:
    """A release's life on a real control plane; its nodes are pretended, no container runs."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600"]
    fine, said = _run([*command, HERE.parent / "kubernetes"])
    on = f"install, upgrade, …; nodes by kwok {version('kwok')}"
    return Outcome("helm on a kube-apiserver", version("kube-apiserver"), on, fine, said)


def outcomes() -> Iterator[Outcome]:
    for variant in VARIANTS:
        yield from _helm(variant)
        for kubernetes in KUBERNETES_VERSIONS:
            yield from _schemas(variant, kubernetes)
        yield _scored(variant)
    yield _conform("trial, CloudNativePG", KUBERNETES, [TRIAL], skip="Kafka,KafkaNodePool")
    yield _policy()
    yield _installed()


def _print_row(*cells: str) -> None:
    tool, version_of_it, on, result = cells
    print(f"{tool:<29} {version_of_it:<9} {on:<46} {result}", flush=True)


def main() -> int:
    failed = 0
    _print_row("tool", "version", "on", "result")
    for outcome in outcomes():
        last = outcome.said.splitlines()[-1] if outcome.said else ""
        _print_row(outcome.tool, outcome.version, outcome.on, f"fine    {last}" if outcome.fine else "FAILED")
        if not outcome.fine:
            failed += 1
            print(outcome.said)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
