"""What attributions on the log show of the facts they rest on: interactions that matched, disputes that were upheld."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.disputes import Kind
from attribution.tables import DisputeRow, InteractionRow
from fairloop.events import AttributionResult
from fairloop.ids import uuid7

FROM_LOG = "known from the log only"
NOBODY = ""
"""The customer of an interaction that is not known to be anybody's."""


async def keep_interactions(session: AsyncSession, results: Iterable[AttributionResult]) -> None:
    """Those that no event of their own has told; version 0 says that none has, and that attributes are missing."""
    shown = {result.interaction.id: result for result in results if result.interaction is not None}
    rows = await session.scalars(
        select(InteractionRow)
        .where(InteractionRow.id.in_(shown))
        .order_by(InteractionRow.id)
        .with_for_update()
    )
    held = {row.id: row for row in rows}
    for id, result in shown.items():
        facts = result.interaction
        assert facts is not None
        row = held.get(id)
        if row is None:
            row = InteractionRow(
                id=id, version=0, customer=NOBODY, participants=[], employees=[], attributes={}
            )
            session.add(row)
        elif row.version > 0:
            continue
        row.occurred_at, row.org_unit, row.touchpoint = facts.occurred_at, facts.org_unit, facts.touchpoint
        if result.verified and result.customer is not None:
            row.customer = result.customer
        kept = {(one["employee"], one["role"]): one["verified"] for one in row.participants}
        row.participants = [
            {
                "employee": one.employee,
                "role": one.role,
                "verified": one.verified if result.verified else kept.get((one.employee, one.role), False),
            }
            for one in result.participants
        ]
        row.employees = sorted({one.employee for one in result.participants})
    await session.flush()


async def keep_disputes(session: AsyncSession, told: Iterable[tuple[AttributionResult, datetime]]) -> None:
    """An upheld dispute that an attribution shows and that is not held; its words are not on the log."""
    upheld = {
        (result.response_id, employee, kind): made_at
        for result, made_at in told
        for employee, kind in _upheld_in(result)
    }
    responses = {response_id for response_id, _, _ in upheld}
    rows = await session.scalars(select(DisputeRow).where(DisputeRow.response_id.in_(responses)))
    held = {(row.response_id, row.employee, row.kind, row.state): row for row in rows}
    for (response_id, employee, kind), made_at in upheld.items():
        if (response_id, employee, kind, "upheld") in held:
            continue
        row = held.get((response_id, employee, kind, "open"))
        if row is None:
            row = DisputeRow(
                id=uuid7(),
                response_id=response_id,
                employee=employee,
                kind=kind,
                reason=FROM_LOG,
                filed_by=FROM_LOG,
                filed_at=made_at,
            )
            session.add(row)
        row.state, row.decided_by, row.decided_at, row.decision_reason = "upheld", FROM_LOG, made_at, FROM_LOG
    await session.flush()


def _upheld_in(result: AttributionResult) -> set[tuple[str, Kind]]:
    excluded = {one.employee for one in result.participants if one.excluded}
    forfeited = {
        entry.subject_id
        for entry in result.entries
        if entry.subject_type == "employee" and entry.reason == "excluded_by_dispute"
    }
    return {
        *((employee, "not_my_customer") for employee in excluded),
        *((employee, "not_my_cause") for employee in forfeited - excluded),
    }
