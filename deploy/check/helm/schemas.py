"""JSON Schemas of Kubernetes' own objects and of the operators' objects, as kubeconform wants them.

Kubernetes' come with the package kubernetes-validate, the operators' from the CRDs in the operators' Go modules.
Strimzi has no Go module: its two trial objects are not checked against a schema.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from deploy.check.helm.programs import CACHE

SCHEMAS = CACHE / "schemas"
VENV = CACHE / "venv"
"""Made by `make` from requirements.lock: kubernetes-validate is 130 MB of schemas, too much for everybody's .venv."""
PROMETHEUS = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
CRDS = (
    ("github.com/kedacore/keda/v2@v2.18.0", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
    (PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
    (
        "github.com/cloudnative-pg/cloudnative-pg@v1.27.0",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
    ),
)
"""Go module and the place of a CRD in it. Go's checksum database pins the content."""


class _Loader(yaml.SafeLoader):
    """Reads a bare `=` as text, as everybody but YAML 1.1 does."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: str(node.value))


def builtin(version: str) -> Path:
    """A folder of strict schemas of one Kubernetes version, `<kind>[-<group>]-<version>.json`."""
    (package,) = VENV.glob("lib/python*/site-packages/kubernetes_validate")
    source = package / f"kubernetes-json-schema/v{version}-local-strict"
    target = SCHEMAS / f"v{version}"
    if not target.exists():
        draft = SCHEMAS / f".v{version}"
        draft.mkdir(parents=True, exist_ok=True)
        for path in source.glob("*.json"):
            schema = json.loads(path.read_text().replace('"/api/_definitions.json', '"_definitions.json'))
            schema.pop("$id", None)
            (draft / path.name).write_text(json.dumps(schema))
        draft.rename(target)
    return target


def crds() -> Iterator[dict[str, Any]]:
    """The operators' CustomResourceDefinitions."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for module, place in CRDS:
        command = ["go", "mod", "download", "-json", module]
        said = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=True)
        path = Path(json.loads(said.stdout)["Dir"]) / place
        yield yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader


def operators() -> Path:
    """A folder of the operators' schemas, `<kind>-<group>-<version>.json`; what a CRD does not name is refused."""
    target = SCHEMAS / f"operators-{hashlib.sha256(repr(CRDS).encode()).hexdigest()[:12]}"
    if not target.exists():
        draft = SCHEMAS / ".operators"
        draft.mkdir(parents=True, exist_ok=True)
        for crd in crds():
            for name, schema in _schemas_of(crd):
                (draft / name).write_text(json.dumps(schema))
        draft.rename(target)
    return target


def _schemas_of(crd: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        for part in ("apiVersion", "kind", "metadata"):
            schema["properties"].setdefault(part, {})
        kind, group = spec["names"]["kind"].lower(), spec["group"].partition(".")[0]
        yield f"{kind}-{group}-{version['name']}.json", _strict(schema)


def _strict(schema: Any) -> Any:
    """Objects with named properties take no others; of `metadata` nothing is said in a CRD."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _strict(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if (
        named
        and "additionalProperties" not in schema
        and not schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        inner["additionalProperties"] = False
    return inner
