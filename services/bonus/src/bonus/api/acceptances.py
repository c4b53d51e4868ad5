"""Accepting the text of a plan, and who did."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from bonus.api.asked import Today
from bonus.domain.notice import standing
from bonus.service.acceptances import Accepting, accept, acceptances, version_of
from bonus.service.notice import published_versions
from bonus.tables import Acceptance
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="plans")


class AcceptanceIn(Body):
    employee: Slug
    text_hash: Annotated[str, Field(max_length=64)]


class AcceptanceOut(Answer):
    plan: str
    version: int
    employee: str
    text_hash: str


class KeptAcceptanceOut(Answer):
    """`version` has this text; not `counts`: a newer one is in force."""

    employee: str
    text_hash: str
    accepted_at: datetime
    recorded_by: str
    version: int | None
    counts: bool


@routes.post("/v1/plans/{id}/acceptances", allow=roles(Role.EMPLOYEE, Role.ADMIN), status_code=201)
async def post_acceptance(
    *, id: Slug, body: AcceptanceIn, session: Session, caller: Caller, now: Now, today: Today
) -> AcceptanceOut:
    """Only a text that is in force, or announced to be, can be accepted."""
    held = await accept(session, id, Accepting(body.employee, body.text_hash, caller, now, today))
    return AcceptanceOut(plan=id, version=held.version, employee=body.employee, text_hash=body.text_hash)


@routes.get("/v1/plans/{id}/acceptances", allow=roles(Role.ADMIN, Role.FINANCE, Role.EMPLOYEE))
async def get_acceptances(
    id: Slug, session: Session, caller: Caller, page: Paging, today: Today
) -> Listing[KeptAcceptanceOut]:
    """Who agreed to which text, and whether it still counts; employees read their own."""
    versions = await published_versions(session, id)
    if not versions:
        raise NotFound(f"There is no published plan {id}.")
    current = {one.text_hash for one in standing(versions, today)}

    def shown(row: Acceptance) -> KeptAcceptanceOut:
        version = version_of(versions, row.text_hash)
        return KeptAcceptanceOut(
            employee=row.employee,
            text_hash=row.text_hash,
            accepted_at=row.accepted_at,
            recorded_by=row.recorded_by,
            version=None if version is None else version.version,
            counts=row.text_hash in current,
        )

    by = [Acceptance.employee, Acceptance.text_hash]
    return await listing(session, acceptances(id, caller), by=by, page=page, to=shown)
