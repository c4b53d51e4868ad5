"""A small real HTTP server that answers outsiders' questions as a process of Fairloop does, well or badly."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fairloop import __version__

TOKEN = "a.good.token"

Samples = dict[str, dict[str, float]]
"""Metric → labels as they are written on the page → value."""


def well() -> Samples:
    """What a worker tells when nothing is wrong with it."""
    now = time.time()
    topic = 'topic="directory.v1"'
    partition = f'{topic},partition="0"'
    return {
        "fairloop_measured_timestamp_seconds": {"": now},
        "fairloop_job_last_success_timestamp_seconds": {'task="receipt.months"': now},
        "fairloop_partition_months_ahead": {'table="receipt"': 3},
        "fairloop_log_up": {"": 1},
        "fairloop_partition_halted": {partition: 0},
        "fairloop_parked_keys": {topic: 0},
        "fairloop_consumer_lag": {partition: 0},
        "fairloop_consumer_oldest_age_seconds": {partition: 0},
        "fairloop_outbox_age_seconds": {topic: 0},
        "fairloop_timer_overdue_seconds": {"": 0},
    }


@dataclass
class Neighbour:
    """How one process answers. `ahead`: seconds its clock runs before ours, None: it does not tell its time.

    `reasons`: why it is not ready; None: it fails when asked.
    """

    service: str
    version: str = __version__
    reasons: list[str] | None = field(default_factory=list)
    ready: bool = True
    samples: Samples = field(default_factory=well)
    ahead: float | None = 0.0
    token: str = TOKEN
    owners: dict[str, int] = field(default_factory=dict)
    is_worker: bool = True

    def answer(self, path: str, authorization: str | None) -> tuple[int, str | dict[str, Any]]:
        if path == "/healthz":
            return 200, {"status": "alive", "service": self.service, "version": self.version}
        if path == "/readyz":
            return self.readiness()
        if path == "/metrics":
            return 200, self.page() if self.is_worker else "# nothing is worked on here\n"
        if authorization != f"Bearer {self.token}":
            return 401, {
                "status": 401,
                "detail": "The bearer token is not valid: Signature verification failed.",
            }
        if path == "/v1/oversight/ageing" and self.service == "closed-loop":
            return 200, {
                "by_owner": [{"owner": owner, "open": count} for owner, count in self.owners.items()]
            }
        return 404, {"status": 404}

    def readiness(self) -> tuple[int, dict[str, Any]]:
        if self.reasons is None:
            return 500, {"status": 500, "title": "Internal server error"}
        return (200 if self.ready else 503), {"status": "", "reasons": self.reasons, "halted": {}}

    def page(self) -> str:
        lines = []
        for name, values in self.samples.items():
            lines.append(f"# TYPE {name} gauge")
            for labels, value in values.items():
                service = f'service="{self.service}"'
                lines.append(f"{name}{{{','.join(filter(None, (service, labels)))}}} {value}")
        return "\n".join(lines) + "\n"


@contextmanager
def listening(neighbour: Neighbour, certificate: Path | None = None) -> Iterator[str]:
    """The address at which it answers; https with a certificate and its key in one file."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = neighbour.answer(self.path, self.headers["authorization"])
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return "" if neighbour.ahead is None else formatdate(time.time() + neighbour.ahead, usegmt=True)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:  # a client that does not trust us hangs up
            pass

    with Server(("127.0.0.1", 0), Answers) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme = "http" if certificate is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def write_certificate(folder: Path, *, days: float) -> Path:
    """For 127.0.0.1, signed by itself, valid for so many days from now (or until so many ago)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path
