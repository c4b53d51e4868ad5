"""The baselines of the intake: `python -m tests.bench.bare PORT` answers webhooks, and traces, that it only reads."""

import sys

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import Route
from tests.bench.serving import serve_baseline

app = FastAPI()


@app.post("/v1/webhooks/{connection}", status_code=202)
async def fastapi_route(connection: str, request: Request) -> dict[str, int]:
    """As one writes it with FastAPI."""
    return {"size": len(await request.body())}


async def starlette_route(request: Request) -> Response:
    """As few instructions as the framework allows."""
    size = len(await request.body())
    return Response(b'{"size":%d}' % size, 202, media_type="application/json")


for path in ("/starlette/v1/webhooks/{connection:path}", "/v1/traces"):
    app.router.routes.append(Route(path, starlette_route, methods=["POST"]))


if __name__ == "__main__":
    serve_baseline(app, int(sys.argv[1]))
