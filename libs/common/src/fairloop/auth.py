"""Who is calling: bearer tokens (JWT) and API keys, both carrying the same claims."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt

from fairloop.db import Database, sql
from fairloop.errors import Unauthorized

AUDIENCE = "fairloop"
_KEY_CACHE_SECONDS = 30.0


class Role(StrEnum):
    """What somebody may do. None implies another."""

    ADMIN = "admin"
    OPS = "ops"
    ANALYST = "analyst"
    MANAGER = "manager"  # own subtree
    EMPLOYEE = "employee"  # self; own unit's and the organisation's KPIs
    FINANCE = "finance"
    WORKS_COUNCIL = "works_council"  # rules, aggregates, disputes; no comments
    SERVICE = "service"


def roles(*names: Role) -> frozenset[Role]:
    """The roles a route allows."""
    return frozenset(names)


EVERYBODY = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller."""

    sub: str
    roles: frozenset[Role]
    employee_id: str | None = None
    org_units: frozenset[str] = frozenset()

    def has(self, *any_of: Role) -> bool:
        """True when the caller has at least one of these roles."""
        return not self.roles.isdisjoint(any_of)


def mint_token(
    private_key: str,
    *,
    sub: str,
    role_names: Sequence[str],
    employee_id: str | None = None,
    org_units: Sequence[str] = (),
    valid_seconds: int = 30 * 86400,
) -> str:
    """A signed bearer token for an embedded installation (Ed25519, PEM private key)."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": sub,
        "roles": [Role(name).value for name in role_names],
        "org_units": list(org_units),
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + valid_seconds,
    }
    if employee_id is not None:
        claims["employee_id"] = employee_id
    return jwt.encode(claims, private_key, algorithm="EdDSA")


def verify_token(token: str, public_key: str) -> Caller:
    """The caller a bearer token names. Raises Unauthorized."""
    try:
        claims = jwt.decode(
            token,
            public_key,
            algorithms=["EdDSA"],
            audience=AUDIENCE,
            leeway=30,
            options={"require": ["exp", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise Unauthorized(f"The bearer token is not valid: {error}.") from error
    known = {role.value for role in Role}
    return Caller(
        sub=claims["sub"],
        roles=frozenset(Role(name) for name in claims.get("roles", []) if name in known),
        employee_id=claims.get("employee_id"),
        org_units=frozenset(claims.get("org_units", [])),
    )


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


class Authenticator:
    """Turns an Authorization header into a Caller."""

    def __init__(self, db: Database, public_key: str) -> None:
        self._db = db
        self._public_key = public_key
        self._keys: dict[str, tuple[float, bytes, Caller]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Raises Unauthorized."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthorized("Send a bearer token or an API key: Authorization: Bearer …")
        if credential.startswith("flk_"):
            return await self._by_api_key(credential)
        return verify_token(credential, self._public_key)

    async def _by_api_key(self, credential: str) -> Caller:
        _, _, rest = credential.partition("_")
        key_id, _, secret = rest.partition("_")
        secret_hash = hashlib.sha256(secret.encode()).digest()
        held = self._keys.get(key_id)
        if held is None or held[0] < time.monotonic():
            held = await self._load(key_id)
        if not hmac.compare_digest(held[1], secret_hash):
            raise Unauthorized("The API key is not valid.")
        return held[2]

    async def _load(self, key_id: str) -> tuple[float, bytes, Caller]:
        self._keys.pop(key_id, None)
        async with self._db.begin() as session:
            rows = await sql(
                session,
                "SELECT secret_hash, sub, roles, employee_id, org_units FROM api_key"
                " WHERE id = $1 AND revoked_at IS NULL",
                key_id,
            )
        if not rows:
            raise Unauthorized("The API key is not valid.")
        secret_hash, sub, role_names, employee_id, org_units = rows[0]
        caller = Caller(sub, frozenset(map(Role, role_names)), employee_id, frozenset(org_units))
        self._keys[key_id] = (time.monotonic() + _KEY_CACHE_SECONDS, secret_hash, caller)
        return self._keys[key_id]
