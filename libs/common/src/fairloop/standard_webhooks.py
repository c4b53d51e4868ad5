"""Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, several allowed in one header.

The key is the base64 text after `whsec_`; the header holds space-separated `v1,<base64>`. The timestamp must
be within five minutes of our clock, so a recorded delivery cannot be played back later.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300
OURS = range(24, 65)
"""Bytes of a key, as the specification wants them."""
THEIRS = range(1, 257)
"""Of a key that a platform has chosen."""
_PREFIX = "whsec_"


def secret_key(secret: str, *, sizes: range = THEIRS) -> bytes:
    """The key inside a secret; ValueError when it is none, or not of these sizes in bytes."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"must start with {_PREFIX}")
    text = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"must be base64 after {_PREFIX}") from None
    if len(key) not in sizes:
        raise ValueError(f"must hold {sizes[0]} to {sizes[-1]} bytes")
    return key


def sign(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature as it stands in the header: `v1,<base64>`."""
    return "v1," + _digest(key, message_id, str(timestamp), body).decode()


def signed_headers(key: bytes, message_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The three headers of one attempt."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(key, message_id=message_id, timestamp=timestamp, body=body),
    }


def is_signed(headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], now: datetime) -> bool:
    """Whether any signature in the header is that of any live key, at a time close to ours."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    offered = headers.get("webhook-signature", "").split()
    if not message_id or not _is_fresh(timestamp, now):
        return False
    signatures = [entry[3:].encode("latin-1", "replace") for entry in offered if entry.startswith("v1,")]
    expected = [_digest(key, message_id, timestamp, body) for key in keys]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    return True in matches


def _is_fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(int(timestamp) - now.timestamp()) <= TOLERANCE_SECONDS


def _digest(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode("latin-1", "replace") + body
    return binascii.b2a_base64(hmac.digest(key, signed, "sha256"), newline=False)
