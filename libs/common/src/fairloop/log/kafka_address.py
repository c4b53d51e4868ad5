"""`kafka://[user:password@]host:port[,host:port][?…]`: where the brokers are, and how they and we prove who we are.

The parameters have the names and meanings of PostgreSQL's addresses: `sslmode` (verify-full; without it nothing is
encrypted), `sslrootcert` (the brokers' authority; without it those the system trusts), `sslcert` and `sslkey` (a
certificate of our own), `sslpassword` (the key's). Files are PEM. A user in the address is authenticated by SASL, with
the mechanism of `sasl`. Passwords are percent-encoded.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from aiokafka.helpers import create_ssl_context

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""The first is the default."""
PARAMETERS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sasl"})


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    brokers: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises ValueError, which never repeats a secret, for what is not understood or would not be safe."""
        place, _, query = url.removeprefix("kafka://").partition("?")
        login, _, hosts = place.rstrip("/").rpartition("@")
        user, _, password = login.partition(":")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        address = cls(tuple(hosts.split(",")), unquote(user), unquote(password), parameters)
        address._check()
        return address

    def _check(self) -> None:
        if unknown := sorted(self.parameters.keys() - PARAMETERS):
            raise ValueError(f"the log's address has parameters that mean nothing: {', '.join(unknown)}")
        if self.parameters.get("sslmode", "disable") not in {"verify-full", "disable"}:
            raise ValueError(
                "sslmode is verify-full or disable: whatever is between does not keep a liar out"
            )
        if not self.is_encrypted and (self.user or self.parameters.keys() - {"sslmode"}):
            raise ValueError(
                "a user, a certificate or an authority in the log's address needs sslmode=verify-full"
            )
        if "sasl" in self.parameters and not self.user:
            raise ValueError("sasl in the log's address needs user:password@ in front of the brokers")
        if self.mechanism not in MECHANISMS:
            raise ValueError(f"sasl is one of {', '.join(MECHANISMS)}")
        if "sslkey" in self.parameters and "sslcert" not in self.parameters:
            raise ValueError("sslkey in the log's address needs sslcert")

    @property
    def is_encrypted(self) -> bool:
        return self.parameters.get("sslmode") == "verify-full"

    @property
    def mechanism(self) -> str:
        return self.parameters.get("sasl", MECHANISMS[0])

    def arguments(self) -> dict[str, Any]:
        """Of every aiokafka client. Raises OSError when a certificate cannot be read."""
        arguments: dict[str, Any] = {"bootstrap_servers": list(self.brokers), "client_id": "fairloop"}
        if self.is_encrypted:
            arguments |= {"security_protocol": "SSL", "ssl_context": self._trust()}
        if self.user:
            arguments |= {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return arguments

    def _trust(self) -> ssl.SSLContext:
        files = tuple(self.parameters.get(name, "") for name in ("sslrootcert", "sslcert", "sslkey"))
        written = tuple(Path(file).stat().st_mtime_ns for file in files if file)
        return _context(*files, self.parameters.get("sslpassword", ""), written)


@lru_cache(maxsize=8)
def _context(authority: str, certificate: str, key: str, password: str, written: object) -> ssl.SSLContext:
    """Kept, because every question to the brokers has a client of its own; made anew when a file was `written`."""
    return create_ssl_context(
        cafile=authority or None, certfile=certificate or None, keyfile=key or None, password=password
    )
