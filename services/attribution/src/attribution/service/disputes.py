"""Disputes: filed by or for the person concerned, decided by somebody else."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.disputes import Claim, Kind, is_claimant
from attribution.service import locks
from attribution.service.attribute import Moment, attribute
from attribution.service.responses import match_by_decision
from attribution.service.results import versions
from attribution.service.visibility import Sight
from attribution.tables import DisputeRow, ResponseRow
from fairloop.auth import Caller
from fairloop.errors import Conflict, Forbidden, Invalid, NotFound
from fairloop.ids import uuid7


async def file(
    session: AsyncSession,
    *,
    response_id: UUID,
    employee: str,
    kind: Kind,
    reason: str,
    caller: Caller,
    sight: Sight,
    at: Moment,
) -> DisputeRow:
    """Open a dispute. Raises NotFound for what the caller may not see, Conflict when there is one like it."""
    if not sight.sees_person(employee):
        raise NotFound(f"No response {response_id} with a participant {employee}.")
    await _lock_response(session, response_id)
    result = (await versions(session, response_id, sight=sight))[-1].result
    if result.status == "erased":
        raise Conflict("This response was erased: there is nothing left to dispute.")
    if employee not in {one.employee for one in result.participants}:
        raise Invalid(f"{employee} is not a participant of this response.", pointer="/body/employee")
    already = await session.scalar(
        select(DisputeRow.id).where(
            DisputeRow.response_id == response_id,
            DisputeRow.employee == employee,
            DisputeRow.kind == kind,
            DisputeRow.state == "open",
        )
    )
    if already is not None:
        raise Conflict(f"Dispute {already} says the same and is open.")
    row = DisputeRow(
        id=uuid7(),
        response_id=response_id,
        employee=employee,
        kind=kind,
        reason=reason,
        state="open",
        filed_by=caller.sub,
        claimant_sub=caller.sub if caller.employee_id == employee else None,
        filed_at=at.now,
    )
    session.add(row)
    await session.flush()
    return row


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a dispute ends. `corrected_interaction` belongs to an upheld "wrong interaction"."""

    uphold: bool
    reason: str
    corrected_interaction: str | None = None


async def decide(
    session: AsyncSession, dispute_id: UUID, ruling: Ruling, *, caller: Caller, sight: Sight, at: Moment
) -> DisputeRow:
    """Decide an open dispute; an upheld one is a new version of the attribution.

    An upheld "wrong interaction" without the right one leaves the response unmatched, in the queue.
    """
    await locks.attributing(session)
    if ruling.corrected_interaction is not None:
        await locks.looking_for(session, [ruling.corrected_interaction])
    response_id = await session.scalar(select(DisputeRow.response_id).where(DisputeRow.id == dispute_id))
    if response_id is None:
        raise NotFound(f"No dispute {dispute_id}.")
    response = await _lock_response(session, response_id)
    dispute = (
        await session.scalars(select(DisputeRow).where(DisputeRow.id == dispute_id).with_for_update())
    ).one()
    if not sight.sees_person(dispute.employee):
        raise NotFound(f"No dispute {dispute_id}.")
    _check(dispute, ruling, caller)
    dispute.state = "upheld" if ruling.uphold else "rejected"
    dispute.decided_by, dispute.decided_at, dispute.decision_reason = caller.sub, at.now, ruling.reason
    dispute.corrected_interaction = ruling.corrected_interaction
    if ruling.uphold and dispute.kind == "wrong_interaction":
        await match_by_decision(
            session, response, ruling.corrected_interaction, pointer="/body/corrected_interaction"
        )
    await session.flush()
    await attribute(session, [response_id], at=at)
    return dispute


def _check(dispute: DisputeRow, ruling: Ruling, caller: Caller) -> None:
    claim = Claim(dispute.employee, dispute.kind, claimant_sub=dispute.claimant_sub)
    if is_claimant(claim, sub=caller.sub, employee=caller.employee_id):
        raise Forbidden("Nobody decides their own dispute.")
    if dispute.state != "open":
        raise Conflict(f"This dispute was decided before: {dispute.state}.")
    if ruling.corrected_interaction is not None and (
        dispute.kind != "wrong_interaction" or not ruling.uphold
    ):
        raise Invalid(
            "Only an upheld wrong_interaction corrects the interaction.",
            pointer="/body/corrected_interaction",
        )


async def _lock_response(session: AsyncSession, response_id: UUID) -> ResponseRow:
    row = await session.scalar(
        select(ResponseRow).where(ResponseRow.response_id == response_id).with_for_update()
    )
    if row is None:
        raise NotFound(f"No response {response_id}.")
    return row
