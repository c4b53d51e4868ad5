"""`/v1/webhooks/…`: past the framework, because a platform must get 202, 401, 413 or 503 whatever it sends.

404 and 410 make platforms switch a webhook off for good, so an address that leads nowhere answers 503 and
raises an alarm here.
"""

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from fairloop.db import is_transient
from fairloop.errors import ProblemError, Unavailable
from fairloop.web import Routes
from fairloop.web.problems import problem
from survey_intake.domain.coerce import SLUG
from survey_intake.intake import Intake, NoSuchConnectionError
from survey_intake.metrics import REFUSED, STRAY_WEBHOOKS, count_refused, count_taken

log = structlog.get_logger()
routes = Routes(tag="webhooks")

MAX_BODY = 1024 * 1024
MAX_DISCARDED = 16 * 1024 * 1024
_SIGNATURE_HEADERS = frozenset({b"webhook-id", b"webhook-timestamp", b"webhook-signature"})


@routes.signed
async def webhook(request: Request, connection_id: str) -> Response:
    """One delivery; HEAD says whether there is such a connection."""
    if request.method == "HEAD":
        return await _head(request, connection_id)
    try:
        body = await _body(request)
        if isinstance(body, Response):
            return body
        return await _deliver(request, connection_id, body)
    except Stray:
        raise
    except ProblemError as error:
        count_refused(error)
        raise
    except Exception as error:
        count_refused(error)
        if is_transient(error):
            raise
        log.error("delivery_failed", connection=connection_id[:128], exc_info=error)
        raise Unavailable("The delivery could not be stored; try again.", retry_after=5) from error


async def _deliver(request: Request, connection_id: str, body: bytes) -> Response:
    intake: Intake = request.app.state.resource
    if request.method != "POST" or not SLUG.fullmatch(connection_id):
        raise _stray(request)
    try:
        receipt = await intake.webhook(connection_id, _signature_headers(request), body)
    except NoSuchConnectionError as error:
        raise _stray(request) from error
    count_taken(connection_id, receipt)
    return Response(msgspec.json.encode(receipt), 202, media_type="application/json")


def _signature_headers(request: Request) -> dict[str, str]:
    """One pass over the raw headers; the first of each name counts."""
    found: dict[str, str] = {}
    for name, value in request.scope["headers"]:
        if name in _SIGNATURE_HEADERS:
            found.setdefault(name.decode(), value.decode("latin-1"))
    return found


async def _head(request: Request, connection_id: str) -> Response:
    intake: Intake = request.app.state.resource
    if not SLUG.fullmatch(connection_id) or await intake.connections.read(connection_id) is None:
        raise _stray(request)
    return Response(status_code=200)


class Stray(Unavailable):
    """Nothing is set up at a webhook's address."""


def _stray(request: Request) -> Stray:
    """Somebody's webhook points at nothing: answers are being lost until a person looks."""
    STRAY_WEBHOOKS.inc()
    log.error("webhook_leads_nowhere", method=request.method, path=request.url.path[:200])
    return Stray("Nothing is set up at this address (yet).", retry_after=300)


async def _body(request: Request) -> bytes | Response:
    """The raw body, or the 413 to answer.

    A body that is too large is read to its end first, because most clients cannot read an answer while they
    send; beyond MAX_DISCARDED the connection is closed instead.
    """
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("The delivery was cut off.")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > MAX_DISCARDED:
            return _too_large(close=True)
        if size <= MAX_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
    return _too_large(close=False) if size > MAX_BODY else b"".join(chunks)


def _too_large(*, close: bool) -> Response:
    REFUSED.labels("too_large").inc()
    return problem(
        413,
        "Body too large",
        f"A delivery has at most {MAX_BODY} bytes.",
        headers={"Connection": "close"} if close else None,
    )
