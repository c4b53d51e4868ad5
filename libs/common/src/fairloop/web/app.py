"""The ASGI application of one process of one service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fairloop import __version__
from fairloop.authenticator import authenticator_of
from fairloop.service import Runtime, Service
from fairloop.web.health import Health, readiness
from fairloop.web.middleware import Envelope, Gate
from fairloop.web.problems import add_problem_handlers
from fairloop.web.routes import SIGNED_PREFIX, Routes, SignedEndpoint
from fairloop.web.traced import Traced


class Application(FastAPI):
    """What is below SIGNED_PREFIX is answered by `signed`, past the framework; None where nothing is."""

    signed: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.signed is not None and scope["type"] == "http" and scope["path"].startswith(SIGNED_PREFIX):
            await self.signed(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(service: Service, runtime: Runtime, health: Health, *, with_api: bool = True) -> FastAPI:
    """The application; without the API it answers only for the worker's health and metrics."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if with_api and service.resource is not None:
                app.state.resource = await stack.enter_async_context(service.resource(runtime))
            yield

    app = Application(
        title=f"Fairloop {service.name}",
        version=__version__,
        lifespan=lifespan,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # the framework's own tells whole paths
    )
    app.state.runtime = runtime
    add_problem_handlers(app)
    app.add_middleware(Gate, authenticator=authenticator_of(runtime.settings, runtime.db))
    app.add_middleware(Envelope, service=service.name, stopping=runtime.stopping)
    if with_api and (signed_endpoint := _signed_endpoint(service.routes)):
        app.signed = Envelope(_signed(app, signed_endpoint), service=service.name, stopping=runtime.stopping)
    if runtime.tracing is not None:
        app.add_middleware(Traced, tracing=runtime.tracing)
        app.signed = app.signed and Traced(app.signed, tracing=runtime.tracing)

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive", "service": service.name, "version": __version__})

    async def readyz(request: Request) -> Response:
        status, body = await readiness(service, runtime, health, worker_only=not with_api)
        headers = {"Retry-After": "2"} if status != 200 else None
        return JSONResponse({"service": service.name, **body}, status, headers=headers)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.router.routes.append(Route(path, endpoint, methods=["GET"]))
    if with_api:
        for routes in service.routes:
            app.include_router(routes.router)
    return app


def _signed_endpoint(all_routes: Sequence[Routes]) -> SignedEndpoint | None:
    found = [routes.signed_endpoint for routes in all_routes if routes.signed_endpoint is not None]
    assert len(found) <= 1, "one endpoint answers everything below the prefix"
    return found[0] if found else None


def _signed(app: FastAPI, endpoint: SignedEndpoint) -> ASGIApp:
    """The endpoint as an ASGI application, whatever the method."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = app
        response = await endpoint(Request(scope, receive), scope["path"][len(SIGNED_PREFIX) :])
        await response(scope, receive, send)

    return answer
