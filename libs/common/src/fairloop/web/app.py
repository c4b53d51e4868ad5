"""The ASGI application of one process of one service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.routing import Route, Router

from fairloop import __version__
from fairloop.auth import Authenticator
from fairloop.service import Runtime, Service
from fairloop.web.health import Health, readiness
from fairloop.web.middleware import Gate
from fairloop.web.problems import add_problem_handlers


def create_app(service: Service, runtime: Runtime, health: Health, *, with_api: bool = True) -> FastAPI:
    """The application; without the API it answers only for the worker's health and metrics."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if with_api and service.resource is not None:
                app.state.resource = await stack.enter_async_context(service.resource(runtime))
            yield

    app = FastAPI(
        title=f"Fairloop {service.name}",
        version=__version__,
        lifespan=lifespan,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.runtime = runtime
    add_problem_handlers(app)
    raw = [
        Route(path, endpoint, methods=methods)
        for routes in service.routes
        for path, endpoint, methods in routes.raw_routes
    ]
    app.add_middleware(
        Gate,
        signed=Router(raw) if raw and with_api else None,
        service=service.name,
        runtime=runtime,
        authenticator=Authenticator(runtime.db, runtime.settings.token_public_key),
    )

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
