"""A real Kubernetes control plane on this machine: API server, controllers and scheduler on etcd.

Its nodes are pretended by kwok: pods are scheduled and reported as running, or as done when a Job owns them. No
container ever runs, so nothing is said about images, probes or networks.
"""

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from deploy.check.helm.programs import debian_program, program

from fairloop.testing_kafka import free_ports

NODES = 3
SECONDS = 120
"""How long anything is waited for."""


@dataclass(frozen=True)
class Cluster:
    kubeconfig: Path
    api: httpx.Client
    """Speaks for an administrator."""

    def create(self, path: str, body: dict[str, Any], *, dry: bool = False) -> None:
        """Raises AssertionError with what the server says, also about fields it does not know."""
        asked = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry else {})}
        answer = self.api.post(path, json=body, params=asked)
        assert answer.status_code in {200, 201, 202}, answer.text

    def read(self, path: str) -> dict[str, Any]:
        answer = self.api.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def answers(self, path: str) -> bool:
        try:
            return self.api.get(path).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A new, empty cluster with its files in the folder; gone at the end."""
    etcd_port, peer_port, api_port = free_ports(3)
    token = secrets.token_hex(16)
    cluster = Cluster(
        _kubeconfig(folder, api_port, token),
        httpx.Client(
            base_url=f"https://127.0.0.1:{api_port}",
            headers={"Authorization": f"Bearer {token}"},
            verify=False,  # noqa: S501 - it makes its own certificate at its start
            timeout=30,
        ),
    )
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "accounts.pem").write_bytes(pem)
    with ExitStack() as stack:
        stack.enter_context(cluster.api)
        for command in _first(folder, etcd_port, peer_port, api_port):
            stack.enter_context(_process(command, folder))
        wait(lambda: cluster.answers("/readyz"), "the API server is up")
        for number in range(NODES):
            cluster.create("/api/v1/nodes", _node(number))
        for command in _then(folder, cluster.kubeconfig):
            stack.enter_context(_process(command, folder))
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        wait(lambda: cluster.answers(account), "the controllers are up")
        yield cluster


def _first(folder: Path, etcd_port: int, peer_port: int, api_port: int) -> Iterator[list[str | Path]]:
    client, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    yield [
        debian_program("etcd-server", "usr/bin/etcd"), "--data-dir", folder / "etcd", "--unsafe-no-fsync",
        "--listen-client-urls", client, "--advertise-client-urls", client,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
    ]  # fmt: skip
    yield [
        program("kube-apiserver"), f"--etcd-servers={client}", f"--secure-port={api_port}", "--bind-address=127.0.0.1",
        f"--cert-dir={folder / 'certificates'}", f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.pem'}",
        f"--service-account-signing-key-file={folder / 'accounts.pem'}",
        "--feature-gates=WatchList=false",  # etcd 3.4 does not tell progress
    ]  # fmt: skip


def _then(folder: Path, kubeconfig: Path) -> Iterator[list[str | Path]]:
    told = f"--kubeconfig={kubeconfig}"
    alone = ["--leader-elect=false", "--secure-port=0"]
    yield [
        program("kube-controller-manager"), told, *alone,
        f"--service-account-private-key-file={folder / 'accounts.pem'}",
    ]  # fmt: skip
    yield [program("kube-scheduler"), told, *alone]
    yield [
        program("kwok"), told, "--manage-all-nodes=true", "--cidr=10.1.0.0/16", "--server-address=",
    ]  # fmt: skip


@contextmanager
def _process(command: list[str | Path], folder: Path) -> Iterator[None]:
    """A process with a log of its own in the folder; killed at the end."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def wait(condition: Callable[[], bool], what: str) -> None:
    """Until the condition holds. Raises TimeoutError."""
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {SECONDS} s")
        time.sleep(0.2)


def _kubeconfig(folder: Path, port: int, token: str) -> Path:
    path = folder / "kubeconfig"
    server = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": server}],
                "users": [{"name": "admin", "user": {"token": token}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
                "current-context": "here",
            }
        )
    )
    path.chmod(0o600)
    return path


def _node(number: int) -> dict[str, Any]:
    name = f"node-{number}"
    room = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": room, "capacity": room},
    }
