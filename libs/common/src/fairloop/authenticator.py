"""From an Authorization header to its caller: our own tokens, the issuer's, and API keys."""

import hashlib
import hmac
import time

from fairloop.auth import Caller, Role, verify_token
from fairloop.db import Database, sql
from fairloop.errors import Unauthorized
from fairloop.oidc import Issuer
from fairloop.settings import ServiceSettings

_KEY_CACHE_SECONDS = 30.0


def authenticator_of(settings: ServiceSettings, db: Database) -> "Authenticator":
    """As the environment says whose tokens count."""
    issuer = None
    if settings.oidc_issuer:
        issuer = Issuer(
            settings.oidc_issuer,
            audience=settings.oidc_audience,
            leeway=settings.oidc_leeway_seconds,
            ca_file=settings.oidc_ca_file,
        )
    return Authenticator(db, public_key=settings.token_public_key, issuer=issuer)


class Authenticator:
    """Turns an Authorization header into a Caller.

    `public_key` (PEM, may be empty) verifies tokens of our own, `issuer` those of the organisation.
    """

    def __init__(self, db: Database, *, public_key: str, issuer: Issuer | None = None) -> None:
        self._db = db
        self._public_key = public_key
        self._issuer = issuer
        self._keys: dict[str, tuple[float, bytes, Caller]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Raises Unauthorized; Unavailable when the issuer of a token cannot be asked for its keys."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthorized("Send a bearer token or an API key: Authorization: Bearer …")
        if credential.startswith("flk_"):
            return await self._by_api_key(credential)
        if self._issuer is not None and self._issuer.is_named_in(credential):
            return await self._issuer.caller(credential)
        if not self._public_key:
            raise Unauthorized("The bearer token is not of the issuer that this installation trusts.")
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
