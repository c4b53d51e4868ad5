"""Starting the issuer, and asking it for tokens."""

import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).resolve().parents[3]
KEYS = "/keys"


@dataclass
class IssuerProcess:
    """The process and a client for it. Times in tokens are seconds from now."""

    process: "subprocess.Popen[str]"
    url: str
    http: httpx.Client = field(repr=False)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/{what}", json=arguments).raise_for_status().json()
        assert isinstance(answer, dict)
        return answer

    def rotate(self, algorithm: str = "ES256") -> str:
        return str(self.do("rotate", algorithm=algorithm)["kid"])

    def token(
        self,
        *roles: str,
        expires: float = 300,
        issued: float = 0,
        kid: str | None = None,
        claimed_kid: str | None = None,
        **claims: Any,
    ) -> str:
        """Claims beside the usual ones replace them; None leaves one out."""
        now = time.time()
        usual = {
            "iss": self.url,
            "aud": "fairloop",
            "sub": "somebody",
            "iat": now + issued,
            "exp": now + expires,
            "roles": list(roles),
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return str(self.do("sign", claims=said, kid=kid, claimed_kid=claimed_kid)["token"])

    def asked_for_keys(self) -> int:
        return int(self.http.get(f"{self.url}/asked").json().get(KEYS, 0))

    def freeze(self) -> None:
        """SIGSTOP: connections are taken, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def issuer_process(
    *, port: int = 0, certificate: Path | None = None, trust: ssl.SSLContext | None = None
) -> Iterator[IssuerProcess]:
    """A running issuer that signs by RS256; killed at the end."""
    arguments = [str(port), *([str(certificate)] if certificate else [])]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.secure.issuer", *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(verify=trust or True, timeout=10) as http:
            running = IssuerProcess(process, url, http)
            try:
                yield running
            finally:
                running.kill()
