"""What survey-intake is told by its environment, beside what every service is told."""

import base64
import binascii

from pydantic import SecretStr, field_validator

from fairloop.settings import ServiceSettings
from survey_intake.sealing import KEY_BYTES


class IntakeSettings(ServiceSettings):
    """`master_key` wraps the key of every customer: 32 random bytes in base64. Losing it loses all texts."""

    master_key: SecretStr
    queue_bytes: int = 64 * 1024 * 1024  # waiting to be written, in each of two queues; more is answered 503
    batch_items: int = 500  # most deliveries in one transaction
    keep_raw_days: int = 90  # of the bodies as they came; 0: for good
    keep_quarantine_days: int = 90  # of quarantined deliveries that were settled; 0: for good
    write_seconds: float = 15.0  # a transaction that takes longer is given up and answered 503

    @field_validator("master_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            key = base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(f"must be {KEY_BYTES} random bytes in base64")
        return value

    @property
    def master_key_bytes(self) -> bytes:
        return base64.b64decode(self.master_key.get_secret_value())
