"""An OIDC issuer: bearer tokens are verified with the keys it publishes, which it changes when it likes.

PyJWT reads keys and verifies. Its own client for published keys would hold up the event loop, and gives keys up while
the issuer is away; so fetching and keeping them is done here.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec
import structlog

from fairloop.auth import Caller, caller_of
from fairloop.errors import Unauthorized, Unavailable
from fairloop.trust import trusted

T = TypeVar("T")

log = structlog.get_logger()

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""With a public key only: none of these can be forged by somebody who knows what the issuer publishes."""

FRESH_SECONDS = 300.0
"""Keys that are older are asked for again, beside the requests; so long a withdrawn key may still count."""
USABLE_SECONDS = 86_400.0
"""So long the last keys serve while the issuer does not answer."""
ASK_AGAIN_SECONDS = 5.0
"""Between two questions, whatever comes in: made-up keys in tokens must not make us a burden to the issuer."""
ANSWER_SECONDS = 5.0
UNUSABLE = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, msgspec.MsgspecError, jwt.PyJWTError)
"""No answer, or none that makes sense."""
ON_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class _Discovery(msgspec.Struct):
    """What is used of what an issuer says about itself."""

    issuer: str
    jwks_uri: str


class Issuer:
    """The issuer at `url`, exactly as its tokens name it in `iss`. Nothing is asked before the first token comes.

    Raises ValueError for an address whose answers could be changed on the way.
    """

    def __init__(
        self,
        url: str,
        *,
        audience: str,
        leeway: float = 30.0,
        ca_file: str = "",
        patience: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = checked_address(url)
        self._audience = audience
        self._leeway = leeway
        self._patience = patience
        self._clock = clock
        # made here, once: reading the authorities' certificates takes long enough to be felt between requests
        self._trust = ssl.create_default_context(cafile=ca_file) if ca_file else trusted()
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._fetched_at = self._asked_at = -math.inf
        self._failed = False
        self._asking: asyncio.Task[None] | None = None

    def is_named_in(self, token: str) -> bool:
        """Whether the token says it is this issuer's; nothing is verified."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return False
        return bool(claims.get("iss") == self.url)

    async def caller(self, token: str) -> Caller:
        """The caller a token names. Raises Unauthorized; Unavailable when the issuer's keys cannot be had."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError("it is signed in a way that is not accepted")
            key = await self._key(header.get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self.url,
                leeway=self._leeway,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(f"The bearer token is not valid: {error}.") from error
        return caller_of(claims)

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        held = self._held(kid)
        if held is None or self._clock() - self._fetched_at > FRESH_SECONDS:
            self._ask()
        if held is None and self._asking is not None:
            await asyncio.shield(self._asking)  # of many requests that wait, one may be given up
            held = self._held(kid)
        if held is not None:
            return held
        if self._failed:
            raise Unavailable("The issuer of this token does not answer.", retry_after=int(ASK_AGAIN_SECONDS))
        raise jwt.InvalidKeyError("no key of its issuer has signed it")

    def _held(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of this id; without an id the only key there is."""
        if self._clock() - self._fetched_at > USABLE_SECONDS:
            return None
        found = [key for key in self._keys if kid is None or key.key_id == kid]
        return found[0] if len(found) == 1 else None

    def _ask(self) -> None:
        """Begin to fetch the keys, unless that is under way or was done a moment ago."""
        now = self._clock()
        if now - self._asked_at >= ASK_AGAIN_SECONDS and (self._asking is None or self._asking.done()):
            self._asked_at = now
            self._asking = asyncio.create_task(self._fetch(), name="issuer")

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._patience), httpx.AsyncClient(verify=self._trust) as http:
                about = await _get(http, self.url.rstrip("/") + DISCOVERY, _Discovery)
                if about.issuer != self.url:
                    raise ValueError(f"it calls itself {about.issuer}")
                keys = signing_keys(await _get(http, checked_address(about.jwks_uri), dict[str, Any]))
        except UNUSABLE as error:
            self._failed = True
            log.warning("issuer_unusable", issuer=self.url, error=f"{type(error).__name__}: {error}")
        else:
            self._failed = False
            self._keys, self._fetched_at = keys, self._clock()


async def _get(http: httpx.AsyncClient, address: str, kind: type[T]) -> T:
    """Raises what UNUSABLE lists."""
    answer = await http.get(address)
    return msgspec.json.decode(answer.raise_for_status().content, type=kind)


def signing_keys(published: dict[str, Any]) -> tuple[jwt.PyJWK, ...]:
    """The public keys for signatures among what an issuer publishes. Raises ValueError when there is none."""
    keys = tuple(
        key
        for key in jwt.PyJWKSet.from_dict(published).keys
        if key.public_key_use in {None, "sig"} and key.algorithm_name in ALGORITHMS
    )
    if not keys:
        raise ValueError("it publishes no key to verify signatures with")
    return keys


def checked_address(url: str) -> str:
    """The address, if nobody between could change what comes from there. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname in ON_THIS_MACHINE) != ("http", True):
        raise ValueError(f"{url} is neither https:// nor on this machine")
    return url
