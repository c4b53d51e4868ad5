"""How a survey platform signs what it delivers: Standard Webhooks."""

import base64
import hashlib
import hmac
import time


def signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The headers of a Standard Webhooks delivery: HMAC-SHA256 over `id.timestamp.body`."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
