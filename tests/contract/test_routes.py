"""Every route of every service says who may call it, and means it."""

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from fairloop.auth import Role
from fairloop.embedded import PostgresServer
from fairloop.service import Service, load_service
from fairloop.services import SERVICES
from fairloop.testing import running
from fairloop.web.routes import ROLES_EXTENSION

Operation = tuple[str, str, dict[str, Any]]


def declared_by(service: Service) -> list[APIRoute]:
    return [
        route for routes in service.routes for route in routes.router.routes if isinstance(route, APIRoute)
    ]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            url = path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    url = url.replace("{" + parameter["name"] + "}", "01a20500-0000-7000-8000-000000000001")
            yield method.upper(), url, operation


@pytest.mark.parametrize("package", SERVICES.values())
async def test_every_route_names_its_roles_and_refuses_everybody_else(
    package: str, postgres: PostgresServer
) -> None:
    async with running(load_service(package), postgres) as box:
        document = (await box.http().get("/openapi.json")).json()
        listed = list(operations(document))
        assert listed
        for method, url, operation in listed:
            allowed = set(operation[ROLES_EXTENSION])
            assert allowed
            assert allowed <= set(Role)
            nobody = await box.http().request(method, url)
            assert nobody.status_code == 401, (method, url)
            assert nobody.headers["content-type"] == "application/problem+json"
            for role in sorted(set(Role) - allowed):
                answer = await box.http(role).request(method, url)
                assert answer.status_code == 403, (method, url, role)


@pytest.mark.parametrize("package", SERVICES.values())
def test_no_route_waits_for_a_thread(package: str) -> None:
    """The framework runs plain functions in threads: the way there and back costs more than what they do."""
    called: list[Any] = []
    waiting = [route.dependant for route in declared_by(load_service(package))]
    while waiting:
        dependant = waiting.pop()
        called.append(dependant.call)
        waiting += dependant.dependencies
    assert called
    assert [call for call in called if not iscoroutinefunction(call)] == []


@pytest.mark.parametrize("package", SERVICES.values())
async def test_no_route_exists_beside_the_declared_ones(package: str, postgres: PostgresServer) -> None:
    service = load_service(package)
    async with running(service, postgres) as box:
        declared = {route.path_format for route in declared_by(service)}
        document = (await box.http().get("/openapi.json")).json()
        assert set(document["paths"]) == declared


@pytest.mark.parametrize("package", SERVICES.values())
async def test_no_answer_without_a_token_but_health_metrics_and_documentation(
    package: str, postgres: PostgresServer
) -> None:
    async with running(load_service(package), postgres) as box:
        client: httpx.AsyncClient = box.http()
        for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 200, path
        assert (await client.get("/v1/nothing-here")).status_code == 401
        if not any(routes.signed_endpoint for routes in box.service.routes):
            assert (await client.post("/v1/webhooks/anything")).status_code == 401
        assert (await box.http("admin").get("/v1/nothing-here")).status_code == 404
        for token in ("x", "flk_0_0", "a.b.c", ""):
            answer = await client.get("/v1/nothing-here", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
