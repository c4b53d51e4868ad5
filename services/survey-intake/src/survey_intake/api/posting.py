"""`POST /v1/responses`: our own format, from a program we know."""

import asyncio
from typing import Literal
from uuid import UUID

from fastapi import Request
from pydantic import Field

from fairloop.auth import Role, roles
from fairloop.errors import Invalid
from fairloop.web import Answer, Now, ProblemOut, Routes, Session
from survey_intake.api.resource import Intake
from survey_intake.intake import Intake as IntakeResource
from survey_intake.metrics import count_refused, count_taken
from survey_intake.service.deliveries import Receipt
from survey_intake.service.posting import Posted, address, parts_of, post_within

routes = Routes(tag="responses")


class DeliveryOut(Answer):
    """What became of a delivery; `revision` counts the revisions stored."""

    outcome: Literal["accepted", "duplicate", "quarantined", "ignored"]
    response_id: UUID | None
    revision: int | None


class OutcomeOut(Answer):
    """What became of one item of a batch."""

    index: int
    outcome: Literal["accepted", "duplicate", "ignored", "rejected"]
    response_id: UUID | None = None
    revision: int | None = None
    errors: list[ProblemOut] = Field(default_factory=list)


class OutcomesOut(Answer):
    outcomes: list[OutcomeOut]


@routes.post("/v1/responses", allow=roles(Role.ADMIN, Role.SERVICE, Role.OPS), status_code=202)
async def post_responses(
    request: Request, session: Session, intake: Intake, now: Now
) -> DeliveryOut | OutcomesOut:
    """One response, or `{"responses": [...]}` with up to 1,000; a bad item of a batch does not stop the others."""
    body = await request.body()
    parts = parts_of(body)
    if parts is None:
        posts: list[Posted | Invalid] = [address(body, "/body")]
    else:
        posts = [_addressed(raw, f"/body/responses/{index}") for index, raw in enumerate(parts)]
    good = [posted for posted in posts if isinstance(posted, Posted)]
    try:
        if "idempotency-key" in request.headers:
            done = await post_within(
                session, good, now=now, day_zone=intake.settings.zone, keyring=intake.keyring
            )
        else:
            done = await asyncio.gather(*(_posted(intake, posted) for posted in good))
    except Exception as error:
        count_refused(error)
        raise
    for posted, result in zip(good, done, strict=True):
        if isinstance(result, Receipt):
            count_taken(posted.connection, result)
    results = iter(done)
    outcomes = [posted if isinstance(posted, Invalid) else next(results) for posted in posts]
    for refused in outcomes:
        if isinstance(refused, Invalid):
            count_refused(refused)
    if parts is not None:
        return OutcomesOut(outcomes=[_outcome(index, result) for index, result in enumerate(outcomes)])
    (only,) = outcomes
    if isinstance(only, Invalid):
        raise only
    return DeliveryOut.model_validate(only)


def _addressed(raw: bytes, where: str) -> Posted | Invalid:
    try:
        return address(raw, where)
    except Invalid as refused:
        return refused


async def _posted(intake: IntakeResource, posted: Posted) -> Receipt | Invalid:
    try:
        return await intake.post(posted)
    except Invalid as refused:
        return refused


def _outcome(index: int, result: Receipt | Invalid) -> OutcomeOut:
    if isinstance(result, Invalid):
        errors = [ProblemOut(pointer=where, detail=detail) for where, detail in result.errors]
        return OutcomeOut(index=index, outcome="rejected", errors=errors)
    assert result.outcome != "quarantined"
    return OutcomeOut(
        index=index, outcome=result.outcome, response_id=result.response_id, revision=result.revision
    )
