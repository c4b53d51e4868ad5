"""A small OIDC issuer as a process of its own: `python -m tests.integration.secure.issuer PORT [CERTIFICATE]`.

It serves discovery and keys as any issuer does, and for tests `/sign`, `/rotate`, `/withdraw`, `/say` and `/asked`.
With a certificate (PEM, key and chain in one file) it speaks TLS.
"""

import json
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Json = dict[str, Any]

MAKE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
TO_JWK: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


@dataclass
class Issuer:
    url: str
    keys: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """Key id → algorithm, private key. The last one signs."""
    published: list[Json] = field(default_factory=list)
    said: Json = field(default_factory=dict)
    """What the discovery document says instead of the truth."""
    asked: Counter[str] = field(default_factory=Counter)

    def rotate(self, algorithm: str = "ES256") -> Json:
        """A new key signs from now on; the old ones stay published."""
        kid, key = f"{algorithm}-{len(self.keys)}", MAKE[algorithm]()
        self.keys[kid] = (algorithm, key)
        self.published.append(
            {
                **TO_JWK[algorithm].to_jwk(key.public_key(), as_dict=True),
                "kid": kid,
                "alg": algorithm,
                "use": "sig",
            }
        )
        return {"kid": kid}

    def withdraw(self, kid: str) -> Json:
        self.published = [key for key in self.published if key["kid"] != kid]
        return {}

    def publish(self, key: Json) -> Json:
        """Whatever it is."""
        self.published.append(key)
        return {}

    def say(self, **said: str) -> Json:
        self.said = said
        return {}

    def sign(self, claims: Json, kid: str | None = None, claimed_kid: str | None = None) -> Json:
        """A token of these claims by the newest key, or the named one; it may claim another, or ("") none."""
        name = kid or list(self.keys)[-1]
        algorithm, key = self.keys[name]
        headers = {"kid": name if claimed_kid is None else claimed_kid}
        return {"token": jwt.encode(claims, key, algorithm, headers=headers if headers["kid"] else None)}

    def answer(self, path: str) -> Json | None:
        self.asked[path] += 1
        match path:
            case "/.well-known/openid-configuration":
                return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.said
            case "/keys":
                return {"keys": self.published}
            case "/asked":
                return dict(self.asked)
        return None


def serve(port: int, certificate: str | None) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(issuer.answer(self.path))

        def do_POST(self) -> None:
            arguments = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.say(getattr(issuer, self.path.removeprefix("/"))(**arguments))

        def say(self, content: Json | None) -> None:
            body = json.dumps(content).encode()
            self.send_response(404 if content is None else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Standard output is for the address."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if certificate is None else "https"
    issuer = Issuer(f"{scheme}://localhost:{server.server_port}")
    issuer.rotate("RS256")
    print(issuer.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
