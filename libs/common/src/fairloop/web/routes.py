"""Routes that say who may call them, each request in one transaction that is committed before the answer."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.auth import Caller as AuthCaller
from fairloop.auth import Role
from fairloop.db import Database
from fairloop.errors import Forbidden, ProblemError
from fairloop.web.idempotency import AnsweredBefore, IdempotencyKey

ROLES_EXTENSION = "x-fairloop-roles"
SIGNED_PREFIX = "/v1/webhooks/"
SIGNED_PATH = SIGNED_PREFIX + "{connection}"

SignedEndpoint = Callable[[Request, str], Awaitable[Response]]
"""Answers a request with any method; the text is the path after SIGNED_PREFIX."""


# What depends on a request is told by coroutines: the framework would call a plain function in a thread, and the way there
# and back costs more than all that these do.


async def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


async def _caller(request: Request) -> AuthCaller:
    caller: AuthCaller = request.state.caller
    return caller


async def _now(request: Request) -> datetime:
    now: datetime = request.app.state.runtime.clock()
    return now


Session = Annotated[AsyncSession, Depends(_session)]
"""The request's transaction; the route commits it."""
Caller = Annotated[AuthCaller, Depends(_caller)]
Now = Annotated[datetime, Depends(_now)]
"""The time of the request, aware, UTC."""


class TransactionalRoute(APIRoute):
    """Checks the role, opens the session, commits, honours `Idempotency-Key`.

    The transaction begins with the endpoint's first statement, so an endpoint may call another service before it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        allowed = frozenset(Role(name) for name in (self.openapi_extra or {})[ROLES_EXTENSION])

        async def handle(request: Request) -> Response:
            caller: AuthCaller = request.state.caller
            if caller.roles.isdisjoint(allowed):
                names = ", ".join(sorted(allowed))
                raise Forbidden(f"{request.method} {request.url.path} is for: {names}.")
            db: Database = request.app.state.runtime.db
            key = await IdempotencyKey.of(request, caller)
            if key is None:
                return await _transact(request, db, endpoint)
            return await key.earlier_answer(db) or await _once(request, db, key, endpoint)

        return handle


async def _transact(
    request: Request, db: Database, endpoint: Callable[[Request], Awaitable[Response]]
) -> Response:
    async with db.begin() as session:
        request.state.session = session
        return await endpoint(request)


async def _once(
    request: Request, db: Database, key: IdempotencyKey, endpoint: Callable[[Request], Awaitable[Response]]
) -> Response:
    try:
        async with db.begin() as session:
            request.state.session = session
            response = await endpoint(request)
            await key.record(session, response)
            return response
    except (AnsweredBefore, ProblemError) as error:
        # a conflict may only mean that the same request, sent twice at once, has just succeeded
        earlier = await key.earlier_answer(db)
        if earlier is None:
            raise error
        return earlier


class Routes:
    """A service's routes. Every one says which roles are allowed, but the signed endpoint, which has none."""

    def __init__(self, *, tag: str) -> None:
        self.router = APIRouter(tags=[tag], route_class=TransactionalRoute)
        self.signed_endpoint: SignedEndpoint | None = None

    def _method(
        self, method: str, path: str, allow: frozenset[Role], options: dict[str, Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        if not allow:
            raise ValueError(f"{method} {path} allows nobody")
        documented = options.pop("openapi_extra", {})
        extra = {**documented, ROLES_EXTENSION: sorted(role.value for role in allow)}
        return self.router.api_route(path, methods=[method], openapi_extra=extra, **options)

    def get(self, path: str, *, allow: frozenset[Role], **options: Any) -> Callable[..., Any]:
        return self._method("GET", path, allow, options)

    def put(self, path: str, *, allow: frozenset[Role], **options: Any) -> Callable[..., Any]:
        return self._method("PUT", path, allow, options)

    def post(self, path: str, *, allow: frozenset[Role], **options: Any) -> Callable[..., Any]:
        return self._method("POST", path, allow, options)

    def delete(self, path: str, *, allow: frozenset[Role], **options: Any) -> Callable[..., Any]:
        return self._method("DELETE", path, allow, options)

    def signed(self, endpoint: SignedEndpoint) -> SignedEndpoint:
        """All below SIGNED_PREFIX, without roles, transaction or validation in front of it: the endpoint checks a
        signature over the raw body itself."""
        self.signed_endpoint = endpoint
        return endpoint
