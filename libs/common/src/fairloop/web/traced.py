"""A span around every request, where traces are recorded."""

from opentelemetry.trace import StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairloop.tracing import Tracing
from fairloop.web.middleware import PUBLIC_PATHS, route_of
from fairloop.wire import TRACEPARENT

_HEADER = TRACEPARENT.encode()


class Traced:
    """Names the route, as logs and metrics do; the path may hold a customer's reference."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self.app = app
        self.tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC_PATHS:
            await self.app(scope, receive, send)
            return
        method: str = scope["method"]
        status = 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self.tracing.request(method, _told_by_caller(scope)) as span:
            try:
                await self.app(scope, receive, send_and_see)
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status,
                    }
                )
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


def _told_by_caller(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            traceparent: bytes = value
            return traceparent.decode("latin-1")
    return None
