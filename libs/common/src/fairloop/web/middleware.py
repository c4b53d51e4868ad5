"""Around every request: an id, one log line, metrics, a bound on the body, and nobody unknown gets further."""

import time
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairloop import telemetry
from fairloop.auth import Authenticator
from fairloop.errors import ProblemError, TooLarge, Unavailable
from fairloop.ids import uuid7
from fairloop.service import Runtime
from fairloop.web.problems import render, render_unexpected
from fairloop.web.routes import SIGNED_PREFIX

log = structlog.get_logger()

MAX_BODY = 16 * 1024 * 1024
PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})


def _request_id(offered: str | None) -> str:
    try:
        return str(UUID(offered)) if offered else str(uuid7())
    except ValueError:
        return str(uuid7())


def _route_of(scope: Scope) -> str:
    """The route's template, for logs and metrics: a path may hold a customer's reference, a template does not."""
    path: str = scope["path"]
    if path in PUBLIC_PATHS:
        return path
    if path.startswith(SIGNED_PREFIX):
        return SIGNED_PREFIX + "{connection}"
    return getattr(scope.get("route"), "path_format", "unmatched")


class Gate:
    """The one middleware: pure ASGI, because each layer of a framework's costs every request.

    `signed` answers below SIGNED_PREFIX, past the framework; None where there are no such routes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        signed: ASGIApp | None,
        service: str,
        runtime: Runtime,
        authenticator: Authenticator,
    ) -> None:
        self.app = app
        self.signed = signed
        self.service = service
        self.runtime = runtime
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request = Request(scope)
        request_id = _request_id(request.headers.get("x-request-id"))
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._admit(request, scope, receive, send_with_id)
            except ProblemError as error:
                await render(error)(scope, receive, send_with_id)
            except Exception as error:
                await render_unexpected(error, _route_of(scope))(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started
                route = _route_of(scope)
                telemetry.observe_request(self.service, request.method, route, status, seconds)
                if route not in PUBLIC_PATHS:
                    log.debug(
                        "request",
                        method=request.method,
                        route=route,
                        status=status,
                        seconds=round(seconds, 4),
                    )

    async def _admit(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in PUBLIC_PATHS:
            await self.app(scope, receive, send)
            return
        if self.runtime.stopping.is_set():
            raise Unavailable("This instance is shutting down.", retry_after=1)
        if self.signed is not None and path.startswith(SIGNED_PREFIX):
            await self.signed(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = await self.authenticator.caller(
            request.headers.get("authorization")
        )
        await self.app(scope, _bounded(receive, request), send)


def _bounded(receive: Receive, request: Request) -> Receive:
    """The body, refused as soon as it is known to be larger than MAX_BODY."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise TooLarge(f"A body has at most {MAX_BODY} bytes.")
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:  # the framework lets only its own exceptions pass while it reads a body
            raise HTTPException(413, f"A body has at most {MAX_BODY} bytes.")
        return message

    return bounded
