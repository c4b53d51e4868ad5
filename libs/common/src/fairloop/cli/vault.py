"""The installation's secrets, made at its first start and kept in `data/secrets.json` (mode 0600)."""

import base64
import secrets
from pathlib import Path
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fairloop.cli.files import write_private
from fairloop.cli.installation import LOG_DATABASE, SERVICES


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    postgres_password: str
    database_passwords: dict[str, str]
    token_private_key: str
    """Ed25519, PEM: signs the bearer tokens of `fairloop token`."""
    pseudonym_key: str
    """Customers' references become a hash under this key; lost, they cannot be matched any more."""
    master_key: str
    """Base64 of 32 bytes; wraps each customer's own key in survey-intake."""

    @classmethod
    def fresh(cls) -> Self:
        private_key = Ed25519PrivateKey.generate()
        pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(
            postgres_password=_password(),
            database_passwords={name: _password() for name in (*(s.package for s in SERVICES), LOG_DATABASE)},
            token_private_key=pem.decode(),
            pseudonym_key=_password(),
            master_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        )

    @property
    def token_public_key(self) -> str:
        private_key = load_pem_private_key(self.token_private_key.encode(), password=None)
        return private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def open_vault(data: Path) -> Vault:
    """The secrets of this data folder; made when it has none yet."""
    path = data / "secrets.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Vault)
    vault = Vault.fresh()
    write_private(path, msgspec.json.format(msgspec.json.encode(vault)))
    return vault


def _password() -> str:
    return secrets.token_urlsafe(32)
