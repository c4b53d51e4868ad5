"""The ledger of one response, as it stands and as it stood."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.api.asked import WRITERS
from attribution.domain.ledger import system_share
from attribution.domain.shares import MILLION
from attribution.service.results import Version, versions
from attribution.service.visibility import sight_of
from fairloop.auth import Caller as AuthCaller
from fairloop.auth import Role, roles
from fairloop.events.attribution import AttributionStatus, Reason, SubjectType
from fairloop.web import Answer, Caller, Routes, Session

routes = Routes(tag="attributions")

_EVERYTHING = WRITERS | roles(Role.ANALYST, Role.SERVICE)


class EntryOut(Answer):
    subject_type: SubjectType
    subject_id: str
    role: str | None
    cause: str | None
    share: Annotated[str, Field(examples=["0.500000"])]
    reason: Reason
    evidence: Annotated[str | None, Field(description="the interaction's id")]
    org_unit: Annotated[str | None, Field(description="the unit an employee's share counts under")]


class ParticipantOut(Answer):
    employee: str
    role: str
    org_unit: str | None
    verified: bool
    excluded: bool


class AttributionVersionOut(Answer):
    response_id: UUID
    response_version: int
    status: AttributionStatus
    version: int
    made_at: datetime
    interaction: str | None
    verified: bool
    matrix_version: date | None
    rule_version: str
    participants: list[ParticipantOut]
    entries: list[EntryOut]
    system_share: str


class AttributionOut(AttributionVersionOut):
    items: Annotated[
        list[AttributionVersionOut] | None, Field(description="every version, oldest first, when asked for")
    ] = None


def decimal(share: int) -> str:
    """500000 millionths → "0.500000"."""
    return f"{share // MILLION}.{share % MILLION:06d}"


def _out(version: Version) -> AttributionVersionOut:
    result = version.result
    return AttributionVersionOut(
        response_id=result.response_id,
        response_version=result.response_version,
        status=result.status,
        version=result.version,
        made_at=version.made_at,
        interaction=result.interaction.id if result.interaction else None,
        verified=result.verified,
        matrix_version=result.matrix_version,
        rule_version=result.rule_version,
        participants=[ParticipantOut.model_validate(one) for one in result.participants],
        entries=[
            EntryOut(
                subject_type=entry.subject_type,
                subject_id=entry.subject_id,
                role=entry.role,
                cause=entry.cause,
                share=decimal(entry.share),
                reason=entry.reason,
                evidence=entry.evidence,
                org_unit=entry.org_unit,
            )
            for entry in result.entries
        ],
        system_share=decimal(system_share((entry.subject_type, entry.share) for entry in result.entries)),
    )


async def read(
    session: AsyncSession, response_id: UUID, *, caller: AuthCaller, history: bool = False
) -> AttributionOut:
    """The attribution in force, with every version when asked for, if the caller may see it."""
    sight = await sight_of(session, caller, everything=_EVERYTHING)
    every = [_out(version) for version in await versions(session, response_id, sight=sight)]
    in_force = dict(every[-1])
    return AttributionOut(**in_force, items=every) if history else AttributionOut(**in_force)


@routes.get(
    "/v1/attributions/{response_id}",
    allow=_EVERYTHING | roles(Role.MANAGER, Role.EMPLOYEE),
    response_model_exclude_unset=True,
)
async def get_attribution(
    response_id: UUID, session: Session, caller: Caller, history: bool = False
) -> AttributionOut:
    """Who could influence a response, and how much. People see those they took part in, managers their units'."""
    return await read(session, response_id, caller=caller, history=history)
