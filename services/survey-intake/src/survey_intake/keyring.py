"""The secrets of this service, and what they are for."""

import hmac
from dataclasses import dataclass
from functools import cached_property

from fairloop.pseudonym import customer_key
from survey_intake.domain.draft import Draft, content_hash
from survey_intake.sealing import Vault
from survey_intake.settings import IntakeSettings


@dataclass(frozen=True)
class Keyring:
    """`vault` seals; the pseudonym key turns references and contents into keyed hashes."""

    vault: Vault
    pseudonym_key: str

    @classmethod
    def of(cls, settings: IntakeSettings) -> "Keyring":
        return cls(Vault(settings.master_key_bytes), settings.pseudonym_key.get_secret_value())

    @cached_property
    def _content_key(self) -> bytes:
        return hmac.digest(self.pseudonym_key.encode(), b"content of deliveries", "sha256")

    def customer(self, ref: str) -> str:
        """What stands for a customer's reference wherever it may be seen."""
        return customer_key(self.pseudonym_key, ref)

    def content_hash(self, draft: Draft) -> bytes:
        return content_hash(draft, self._content_key)

    def body_hash(self, body: bytes) -> bytes:
        return hmac.digest(self._content_key, body, "sha256")
