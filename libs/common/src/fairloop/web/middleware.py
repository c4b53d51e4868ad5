"""Around every request: an id, one log line, metrics, a bound on the body, and nobody unknown gets further.

Pure ASGI, because each layer of a framework's costs every request.
"""

import asyncio
import time
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairloop import telemetry
from fairloop.authenticator import Authenticator
from fairloop.errors import ProblemError, TooLarge
from fairloop.ids import uuid7_text
from fairloop.web.problems import render, render_unexpected
from fairloop.web.routes import SIGNED_PATH, SIGNED_PREFIX

log = structlog.get_logger()

MAX_BODY = 16 * 1024 * 1024
PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})


def _request_id(scope: Scope) -> str:
    """The caller's, when it is a UUID; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            try:
                return str(UUID(value.decode("latin-1")))
            except ValueError:
                break
    return uuid7_text()


def route_of(scope: Scope) -> str:
    """The route's template, for logs and metrics: a path may hold a customer's reference, a template does not."""
    path: str = scope["path"]
    if path in PUBLIC_PATHS:
        return path
    if path.startswith(SIGNED_PREFIX):
        return SIGNED_PATH
    return getattr(scope.get("route"), "path_format", "unmatched")


class Envelope:
    """What every request gets: an id, problem documents for what is raised, a log line and a measurement.

    While we shut down requests are answered as ever, and the caller is told to come by a new connection next time:
    that one leads to another instance.
    """

    def __init__(self, app: ASGIApp, *, service: str, stopping: asyncio.Event) -> None:
        self.app = app
        self.service = service
        self.stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                if self.stopping.is_set():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        context = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, send_with_id)
        except ProblemError as error:
            await render(error)(scope, receive, send_with_id)
        except Exception as error:
            await render_unexpected(error, route_of(scope))(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route, method = route_of(scope), scope["method"]
            telemetry.observe_request(self.service, method, route, status, seconds)
            if route not in PUBLIC_PATHS:
                log.debug("request", method=method, route=route, status=status, seconds=round(seconds, 4))
            structlog.contextvars.reset_contextvars(**context)


class Gate:
    """In front of the framework: nobody unknown gets in, and nothing too large."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator) -> None:
        self.app = app
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC_PATHS:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
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
