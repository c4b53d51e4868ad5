"""Webhook secrets at rest: AES-256-GCM with a key derived from the installation's pseudonym key.

They must be readable to sign with, so they cannot be hashed; a copy of the database alone does not give them away.
"""

import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

_NONCE_BYTES = 12


class SecretBox:
    """Seals a subscription's key; the sealed value is of use for that subscription only."""

    def __init__(self, pseudonym_key: SecretStr) -> None:
        derived = hmac.digest(pseudonym_key.get_secret_value().encode(), b"webhook secrets", "sha256")
        self._cipher = AESGCM(derived)

    def seal(self, key: bytes, subscription: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, subscription.encode())

    def open(self, sealed: bytes, subscription: str) -> bytes:
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], subscription.encode())
