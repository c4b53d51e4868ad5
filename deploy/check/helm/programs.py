"""The programs the chart is checked with: built from versions pinned beside this file, kept in `.cache/helm-check`."""

import fcntl
import hashlib
import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
CACHE = CHECKOUT / ".cache/helm-check"
PACKAGES = {
    "helm": "helm.sh/helm/v3/cmd/helm",
    "kube-score": "github.com/zegl/kube-score/cmd/kube-score",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
}
"""Program → Go package; `deploy/check/<program>/go.mod` pins it."""


def program(name: str) -> Path:
    """The built program; the first time of a version takes minutes. Raises RuntimeError without Go."""
    module = HERE.parent / name
    pinned = hashlib.sha256((module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()).hexdigest()
    path = CACHE / "bin" / f"{name}-{pinned[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{name}.lock").open("w") as lock:  # checks may run side by side: one builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(module, PACKAGES[name], path)
    return path


def _build(module: Path, package: str, path: Path) -> None:
    print(f"building {package} …", flush=True)
    draft = path.with_suffix(".part")
    try:
        subprocess.run(["go", "build", "-o", draft, package], cwd=module, check=True)
    except FileNotFoundError as error:
        raise RuntimeError("Checking the chart needs Go: put `go` on the PATH.") from error
    os.replace(draft, path)


def version(name: str) -> str:
    """As its go.mod pins it."""
    module = PACKAGES[name].partition("/cmd/")[0]
    found = re.search(rf"{re.escape(module)} (v\S+)", (HERE.parent / name / "go.mod").read_text())
    assert found is not None, f"{name} is not pinned"
    return found[1]
