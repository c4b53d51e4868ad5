"""Plans: draft, publish, read."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import Field

from bonus.api.plan_body import FindingOut, PlanIn, PlanOut, text_of
from bonus.domain.lint import Code
from bonus.domain.plan import Payee
from bonus.service.plans import (
    HeldPlan,
    held_plan,
    newest_for,
    newest_plans,
    plan_version,
    put_draft,
)
from bonus.service.publishing import examine, publish
from bonus.settings import BonusSettings
from bonus.tables import PlanVersion
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.auth import Caller as AuthCaller
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="plans")


class WaiverIn(Body):
    """Lets a finding pass. Without a `pointer`: all of this code."""

    code: Code
    pointer: Annotated[str | None, Field(max_length=400)] = None
    reason: Annotated[str, Field(min_length=10, max_length=2000)]


class PublishIn(Body):
    waivers: Annotated[tuple[WaiverIn, ...], Field(max_length=200)] = ()


class FindingsOut(Answer):
    plan: str
    version: int
    items: list[FindingOut]
    next: None = None


@routes.put("/v1/plans/{id}", allow=roles(Role.ADMIN))
async def put_plan(id: Slug, body: PlanIn, session: Session, caller: Caller, now: Now) -> PlanOut:
    held = await put_draft(session, id, body.to_domain(), by=caller.sub, now=now)
    return shown(held, caller)


@routes.post("/v1/plans/{id}/publish", allow=roles(Role.ADMIN))
async def post_publish(
    *, id: Slug, request: Request, session: Session, caller: Caller, now: Now, body: PublishIn | None = None
) -> PlanOut:
    """Every blocking finding is mended or waived, by the caller's name and with a reason that everybody can read.

    Warnings are kept with the version; with `FAIRLOOP_STRICT_PUBLISHING` they block as well.
    """
    waived = [(one.code, one.pointer, one.reason) for one in body.waivers] if body else []
    runtime = request.app.state.runtime
    settings: BonusSettings = runtime.settings
    held = await publish(
        session, id, waived, strict=settings.strict_publishing, runtime=runtime, caller=caller, now=now
    )
    return shown(held, caller)


@routes.get("/v1/plans/{id}/findings", allow=roles(Role.ADMIN, Role.FINANCE))
async def get_findings(id: Slug, request: Request, now: Now) -> FindingsOut:
    """What would stop the newest version from being published now, with the numbers of responses as they are."""
    held, found = await examine(request.app.state.runtime, id, now=now)
    return FindingsOut(plan=id, version=held.version, items=[FindingOut.of(finding) for finding in found])


@routes.get("/v1/plans/{id}", allow=EVERYBODY)
async def get_plan(
    id: Slug, session: Session, caller: Caller, version: Annotated[int | None, Query(ge=1)] = None
) -> PlanOut:
    """The newest version, or the one asked for; drafts only for those who make or pay plans."""
    if version is None:
        return shown(await newest_for(session, id, caller), caller)
    held = await plan_version(session, id, version)
    if held.status == "draft" and not caller.has(Role.ADMIN, Role.FINANCE):
        raise NotFound(f"There is no version {version} of plan {id}.")
    return shown(held, caller)


@routes.get("/v1/plans", allow=EVERYBODY)
async def get_plans(session: Session, caller: Caller, page: Paging) -> Listing[PlanOut]:
    """The newest version of every plan that the caller may see."""
    return await listing(
        session,
        newest_plans(caller),
        by=[PlanVersion.id],
        page=page,
        to=lambda row: shown(held_plan(row), caller),
    )


def shown(held: HeldPlan, caller: AuthCaller) -> PlanOut:
    """The plan with the payees whose amounts the caller may see: all for admin and finance, else oneself."""

    def visible(payee: Payee) -> bool:
        return caller.has(Role.ADMIN, Role.FINANCE) or payee.employee == caller.employee_id

    text = text_of(held.plan)
    text["payees"] = [
        one for one, payee in zip(text["payees"], held.plan.payees, strict=True) if visible(payee)
    ]
    return PlanOut.model_validate(
        {
            **text,
            "id": held.id,
            "version": held.version,
            "status": held.status,
            "text_hash": held.text_hash,
            "payee_count": len(held.plan.payees),
            "findings": [FindingOut.of(one.finding, one.waiver) for one in held.findings],
            "published_on": held.published_on,
            "in_force_from": held.in_force_from,
        }
    )
