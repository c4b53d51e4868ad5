"""Customers outside survey-intake: a keyed hash in place of the reference."""

import hmac


def customer_key(pseudonym_key: str, customer_ref: str) -> str:
    """HMAC-SHA256 of a customer's reference, the first 128 bits in hex.

    Services that share the key can join on it; nobody without the key can test a guessed reference.
    """
    return hmac.digest(pseudonym_key.encode(), customer_ref.encode(), "sha256")[:16].hex()
