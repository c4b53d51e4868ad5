"""Standard Webhooks signatures: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

The key is the base64 text after `whsec_`, 24 to 64 bytes.
"""

import base64
import binascii
import hmac
from datetime import datetime

_PREFIX = "whsec_"


def secret_key(secret: str) -> bytes:
    """The key inside a secret; ValueError when it is none."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"must start with {_PREFIX}")
    text = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"must be base64 after {_PREFIX}") from None
    if not 24 <= len(key) <= 64:
        raise ValueError("must hold 24 to 64 bytes")
    return key


def signed_headers(key: bytes, message_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The three headers of one attempt."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
