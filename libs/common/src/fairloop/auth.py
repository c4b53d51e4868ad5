"""Who may be calling: roles, and bearer tokens (JWT)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from fairloop.errors import Unauthorized

AUDIENCE = "fairloop"


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
            read_public_key(public_key),
            algorithms=["EdDSA"],
            audience=AUDIENCE,
            leeway=30,
            options={"require": ["exp", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise Unauthorized(f"The bearer token is not valid: {error}.") from error
    return caller_of(claims)


@lru_cache(maxsize=4)
def read_public_key(pem: str) -> Ed25519PublicKey:
    """Kept, because reading it takes half as long as verifying with it. Raises ValueError."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is no Ed25519 key")
    return key


class _Claims(msgspec.Struct):
    """What a verified token says of its bearer, whoever signed it."""

    sub: str
    roles: list[str] = []
    employee_id: str | None = None
    org_units: list[str] = []


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The caller whom verified claims describe; roles we do not know are left out. Raises Unauthorized."""
    try:
        said = msgspec.convert(claims, _Claims)
    except msgspec.ValidationError as error:
        raise Unauthorized(f"The bearer token cannot be read: {error}.") from error
    known = frozenset(Role(name) for name in said.roles if name in set(Role))
    return Caller(said.sub, known, said.employee_id, frozenset(said.org_units))
