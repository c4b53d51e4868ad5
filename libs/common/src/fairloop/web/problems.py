"""Every error is an RFC 9457 problem document."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from fairloop.db import is_transient
from fairloop.errors import Invalid, ProblemError, Unauthorized, Unavailable

log = structlog.get_logger()


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    errors: list[tuple[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document; `errors` are (JSON pointer, what is wrong there)."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors is not None:
        body["errors"] = [{"pointer": pointer, "detail": what} for pointer, what in errors]
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def render(error: ProblemError) -> JSONResponse:
    """The problem document of a business error."""
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    errors = error.errors if isinstance(error, Invalid) else None
    return problem(error.status, error.title, error.detail, errors=errors, headers=headers)


def _pointer(location: tuple[int | str, ...]) -> str:
    """("body", "scores", 0) → "/body/scores/0", escaped as RFC 6901 wants."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def pointed(error: ValidationError, *, below: str) -> list[tuple[str, str]]:
    """(JSON pointer, what is wrong there) of every finding in a part of a body that lies at `below`."""
    return [(below + _pointer(tuple(one["loc"])), str(one["msg"])) for one in error.errors(include_url=False)]


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return render(error)


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [(_pointer(tuple(one["loc"])), str(one["msg"])) for one in error.errors()]
    count = len(errors)
    return problem(
        422, "Invalid request", f"{count} field{'s' * (count != 1)} not understood.", errors=errors
    )


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = (
        error.detail if error.detail != title else f"{request.method} {request.url.path}: {title.lower()}."
    )
    return problem(error.status_code, title, detail, headers=error.headers)


def render_unexpected(error: Exception, route: str) -> JSONResponse:
    """503 when trying again may help, else 500 with nothing of the inside in it."""
    if is_transient(error):
        log.warning("database_unavailable", route=route, error=type(error).__name__)
        return render(Unavailable("The database does not answer; nothing was changed. Try again."))
    log.error("unexpected_error", route=route, exc_info=error)
    return problem(500, "Internal error", "Something went wrong on our side; it has been logged.")


def add_problem_handlers(app: FastAPI) -> None:
    """Make problem documents of everything a route raises on purpose."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
