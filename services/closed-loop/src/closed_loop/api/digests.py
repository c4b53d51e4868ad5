"""What each role is told once a week, to be read at any time; and what became of the mails."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Header, Query, Request, Response

from closed_loop.domain.digest import Digest, Kind
from closed_loop.rendering import as_html, as_text
from closed_loop.service.digest_deliveries import State, deliveries, retry
from closed_loop.service.digests import read_digest
from closed_loop.tables_told import DigestDeliveryRow
from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="digests")
READERS = roles(Role.ADMIN, Role.MANAGER, Role.EMPLOYEE)
WATCHERS = roles(Role.ADMIN, Role.OPS)
Format = Literal["json", "html", "text"]

_MEDIA: dict[Format, str] = {"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}


class DigestDeliveryOut(Answer):
    employee: str
    kind: str
    period: str
    starts: date
    ends: date
    state: State
    attempts: int
    next_try_at: datetime | None
    sent_at: datetime | None
    error: str | None


@routes.get(
    "/v1/digests/{employee}",
    allow=READERS,
    response_model=Digest,
    responses={200: {"content": {"text/html": {}, "text/plain": {}}}},
)
async def get_digest(
    *,
    employee: Slug,
    request: Request,
    caller: Caller,
    now: Now,
    kind: Kind | None = None,
    format: Annotated[Format | None, Query(description="else what Accept asks for, else json")] = None,
    accept: Annotated[str, Header()] = "",
) -> Digest | Response:
    """Of the last seven days. People read their own; managers the personal digest of their people, too."""
    runtime = request.app.state.runtime
    digest = await read_digest(runtime, employee, kind=kind, caller=caller, now=now)
    match format or _accepted(accept):
        case "html":
            return Response(as_html(digest, runtime.settings.zone), media_type=_MEDIA["html"])
        case "text":
            return Response(as_text(digest, runtime.settings.zone), media_type=_MEDIA["text"])
        case _:
            return digest


@routes.get("/v1/digest-deliveries", allow=WATCHERS)
async def list_digest_deliveries(
    session: Session, page: Paging, state: State | None = None, employee: str | None = None
) -> Listing[DigestDeliveryOut]:
    """What became of the mails, the newest first."""
    by = [DigestDeliveryRow.planned_at, DigestDeliveryRow.employee, DigestDeliveryRow.kind]
    rows = deliveries(state=state, employee=employee)
    return await listing(session, rows, by=by, page=page, to=_out, descending=True)


@routes.post("/v1/digest-deliveries/{employee}/{kind}/{period}/retry", allow=WATCHERS)
async def retry_digest_delivery(
    employee: Slug, kind: Kind, period: Slug, session: Session, now: Now
) -> DigestDeliveryOut:
    """Send one again that failed, or of which nobody knows whether it arrived."""
    return _out(await retry(session, employee, kind, period, now=now))


def _accepted(accept: str) -> Format:
    """The first of the media types a caller names that there is."""
    for entry in accept.split(","):
        match entry.partition(";")[0].strip():
            case "text/html":
                return "html"
            case "text/plain":
                return "text"
            case "application/json":
                return "json"
    return "json"


def _out(row: DigestDeliveryRow) -> DigestDeliveryOut:
    shown = DigestDeliveryOut.model_validate(row)
    return shown if row.state == "pending" else shown.model_copy(update={"next_try_at": None})
