"""API keys, for callers that have no tokens: made and revoked here, checked by the authenticator."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fairloop.auth import Role
from fairloop.db import Database, sql


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """`key` is shown once; only its hash is kept."""

    id: str
    key: str


async def create_api_key(
    db: Database,
    *,
    sub: str,
    role_names: Sequence[str],
    employee_id: str | None = None,
    org_units: Sequence[str] = (),
) -> NewApiKey:
    """Make an API key `flk_<id>_<secret>`; the secret has 256 random bits, so a plain SHA-256 of it is enough."""
    key_id = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    async with db.begin() as session:
        await sql(
            session,
            "INSERT INTO api_key (id, secret_hash, sub, roles, employee_id, org_units) VALUES ($1,$2,$3,$4,$5,$6)",
            key_id,
            hashlib.sha256(secret.encode()).digest(),
            sub,
            [Role(name).value for name in role_names],
            employee_id,
            list(org_units),
        )
    return NewApiKey(id=key_id, key=f"flk_{key_id}_{secret}")


async def revoke_api_key(db: Database, key_id: str) -> bool:
    """False when there is no such live key. Running services notice within half a minute."""
    async with db.begin() as session:
        rows = await sql(
            session,
            "UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id",
            key_id,
        )
    return bool(rows)
