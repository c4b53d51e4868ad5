"""Encryption at rest: AES-256-GCM, a data key per customer (or per response, or per quarantined body).

Data keys are stored wrapped by the master key, so destroying a stored key destroys all it ever sealed.
A sealed value is a 12-byte random nonce followed by the ciphertext.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_WRAPPING = b"fairloop data key"


class UnreadableError(Exception):
    """The key is not the one it was sealed with, or the value was changed."""


class DataKey:
    """Seals and opens values."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, context: bytes = b"") -> bytes:
        """`context` is authenticated, not stored: opening needs the same."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes = b"") -> bytes:
        """Raises UnreadableError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except InvalidTag as error:
            raise UnreadableError("sealed with another key, or changed since") from error


class Vault(DataKey):
    """The master key: makes, wraps and unwraps data keys, and seals what belongs to no customer."""

    def new_key(self) -> tuple[DataKey, bytes]:
        """A new data key and its wrapped form."""
        key = os.urandom(KEY_BYTES)
        return DataKey(key), self.seal(key, _WRAPPING)

    def unwrap(self, wrapped: bytes) -> DataKey:
        """Raises UnreadableError when it was wrapped by another master key."""
        return DataKey(self.open(wrapped, _WRAPPING))
