"""The programs the chart is checked with: built from versions pinned beside this file, kept in `.cache/helm-check`."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
CACHE = CHECKOUT / ".cache/helm-check"
PROGRAMS = {
    "helm": ("helm", "helm.sh/helm/v3/cmd/helm"),
    "kube-score": ("kube-score", "github.com/zegl/kube-score/cmd/kube-score"),
    "kubeconform": ("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
    "kwok": ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": ("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
}
"""Program → (the folder of deploy/check whose go.mod pins it, its Go package)."""


def program(name: str) -> Path:
    """The built program; the first time of a version takes minutes. Raises RuntimeError without Go."""
    folder, package = PROGRAMS[name]
    module = HERE.parent / folder
    pinned = hashlib.sha256((module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()).hexdigest()
    path = CACHE / "bin" / f"{name}-{pinned[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{name}.lock").open("w") as lock:  # checks may run side by side: one builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(module, package, path, _stamp(name))
    return path


def version(name: str) -> str:
    """As its go.mod pins it."""
    folder, package = PROGRAMS[name]
    module = package.partition("/cmd/")[0]
    found = re.search(rf"{re.escape(module)} (v\S+)", (HERE.parent / folder / "go.mod").read_text())
    assert found is not None, f"{name} is not pinned"
    return found[1]


def _stamp(name: str) -> str:
    """The linker's flags: Kubernetes' programs have to be told their version, and behave by it."""
    if PROGRAMS[name][0] != "kubernetes":
        return ""
    full = version(name)
    major, minor, _ = full.removeprefix("v").split(".")
    told = {"gitVersion": full, "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in told.items())


def _build(module: Path, package: str, path: Path, stamp: str) -> None:
    print(f"building {package} …", flush=True)
    draft = path.with_suffix(".part")
    try:
        subprocess.run(["go", "build", f"-ldflags={stamp}", "-o", draft, package], cwd=module, check=True)
    except FileNotFoundError as error:
        raise RuntimeError("Checking the chart needs Go: put `go` on the PATH.") from error
    os.replace(draft, path)


def debian_program(package: str, inside: str) -> Path:
    """A program of a Debian package, on the PATH or else unpacked into the cache; nothing is installed.

    Raises RuntimeError where neither is to be had.
    """
    found = shutil.which(Path(inside).name)
    path = Path(found) if found else CACHE / package / inside
    if not path.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise RuntimeError(f"Put `{path.name}` on the PATH.")
        with tempfile.TemporaryDirectory() as folder:
            command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
            subprocess.run(command, check=True, cwd=folder)
            (archive,) = Path(folder).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, CACHE / package], check=True)
    return path
