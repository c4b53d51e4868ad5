"""`Idempotency-Key`: the first answer, again. Kept 24 hours per caller and route, committed with the effect.

Look the key up, do the work, record the answer in the work's own transaction. Of two at the same moment the one
that records second is rolled back and gives the first one's answer, so the effect happens once.
"""

import hashlib
import hmac

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.auth import Caller
from fairloop.db import Database, sql
from fairloop.errors import Invalid

HEADER = "Idempotency-Key"


class AnsweredBefore(Exception):  # noqa: N818 - not an error: the answer exists
    """Another request with this key was first; its work stands and ours is rolled back."""


class IdempotencyKey:
    """One request's key, bound to its caller, route and body."""

    def __init__(self, key: str, caller: Caller, route: str, body_hash: bytes) -> None:
        if not 1 <= len(key) <= 255:
            raise Invalid("An Idempotency-Key has 1 to 255 characters.", pointer=f"/header/{HEADER}")
        self._identity = (caller.sub, route, key)
        self._body_hash = body_hash

    @classmethod
    async def of(cls, request: Request, caller: Caller) -> "IdempotencyKey | None":
        """The key a POST carries, if any."""
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST":
            return None
        # keyed: nobody can test a guessed body against what the table keeps
        secret: str = request.app.state.runtime.settings.pseudonym_key.get_secret_value()
        body_hash = hmac.digest(secret.encode(), await request.body(), hashlib.sha256)
        return cls(key, caller, request.url.path + "?" + request.url.query, body_hash)

    async def earlier_answer(self, db: Database) -> Response | None:
        """The recorded answer. Raises Invalid when the key came with another body."""
        async with db.begin() as session:
            rows = await sql(
                session,
                "SELECT body_hash, status, media_type, body FROM idempotency"
                " WHERE caller = $1 AND route = $2 AND key = $3 AND created_at > now() - interval '24 hours'",
                *self._identity,
            )
        if not rows:
            return None
        body_hash, status, media_type, body = rows[0]
        if body_hash != self._body_hash:
            raise Invalid(
                "This Idempotency-Key was used with another body; use a new key.", pointer=f"/header/{HEADER}"
            )
        return Response(body, status, media_type=media_type, headers={"Idempotent-Replay": "true"})

    async def record(self, session: AsyncSession, response: Response) -> None:
        """Keep the answer, in the work's transaction. Raises AnsweredBefore when another was first."""
        rows = await sql(
            session,
            "INSERT INTO idempotency AS held (caller, route, key, body_hash, status, media_type, body)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (caller, route, key) DO UPDATE"
            " SET body_hash = $4, status = $5, media_type = $6, body = $7, created_at = now()"
            " WHERE held.created_at <= now() - interval '24 hours' RETURNING key",
            *self._identity,
            self._body_hash,
            response.status_code,
            response.media_type or "application/json",
            bytes(response.body),
        )
        if not rows:
            raise AnsweredBefore
