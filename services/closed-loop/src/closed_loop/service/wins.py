"""Wins that nobody has to report: promoters whose cause somebody influenced, and customers won back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Case, is_open
from closed_loop.domain.wins import (
    Influence,
    Kind,
    Resolved,
    is_promoter,
    is_recovery,
    praised,
    promoter_win_id,
    recovery_id,
    won_back,
)
from closed_loop.tables_told import RecognitionRow
from fairloop.db import sql
from fairloop.events import AttributionResult

_SETTLED = """
SELECT c.id, c.owner, c.org_unit, c.state -> 'circumstances' ->> 'customer' AS customer, max(e.at) AS resolved_at
FROM customer_case c JOIN case_event e ON e.case_id = c.id AND e.kind = 'resolved'
WHERE c.state -> 'circumstances' ->> 'customer' = ANY($1::text[]) AND c.status IN ('resolved', 'closed')
  AND c.state->>'track' = 'detractor' AND NOT (c.state->>'erased')::boolean AND c.response_id <> ALL($2::uuid[])
GROUP BY c.id
"""
_KEEP = """
WITH kept AS (
  INSERT INTO recognition (id, kind, at, recipient, response_id, case_id, org_unit, cause)
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[])
  ON CONFLICT (id) DO UPDATE SET at = excluded.at, recipient = excluded.recipient,
    response_id = excluded.response_id, org_unit = excluded.org_unit, cause = excluded.cause
)
DELETE FROM recognition WHERE response_id = ANY($1::uuid[]) AND kind <> 'thanks' AND id <> ALL($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class _Win:
    id: UUID
    kind: Kind
    at: datetime
    recipient: str
    response_id: UUID
    case_id: UUID | None
    org_unit: str | None
    cause: str | None


async def keep_wins(session: AsyncSession, news: Sequence[AttributionResult]) -> None:
    """Make the wins of these answers what their newest versions say; a correction or an erasure takes one back.

    `news`: newer than everything seen of their responses, in their order. Thanks that point at an erased answer go too.
    """
    newest = {event.response_id: event for event in news}
    answers = [one for one in newest.values() if one.version > 1 or _is_promoter(one)]
    if not answers:
        return
    promoters = [one for one in answers if _is_promoter(one)]
    settled = await _settled_cases(session, promoters)
    wins = [win for answer in promoters for win in _wins(answer, settled.get(answer.customer or "", ()))]
    erased = [one.response_id for one in answers if one.status == "erased"]
    if erased:
        await session.execute(delete(RecognitionRow).where(RecognitionRow.response_id.in_(erased)))
    by_id = {win.id: win for win in wins}
    unique = [by_id[id] for id in sorted(by_id)]
    await sql(
        session,
        _KEEP,
        [one.response_id for one in answers],
        [one.id for one in unique],
        [one.kind for one in unique],
        [one.at for one in unique],
        [one.recipient for one in unique],
        [one.response_id for one in unique],
        [one.case_id for one in unique],
        [one.org_unit for one in unique],
        [one.cause for one in unique],
    )


async def settle_recoveries(session: AsyncSession, cases: Sequence[Case]) -> None:
    """A case resolved as recovered is its owner's win; one that is open again, or whose answer is erased, is none.

    Cases nobody acted on cost nothing.
    """
    lost = [case.id for case in cases if case.acted and (case.erased or is_open(case))]
    if lost:
        await session.execute(delete(RecognitionRow).where(RecognitionRow.case_id.in_(lost)))
    won = [case for case in cases if case.acted and is_recovery(case)]
    if won:
        values = [
            {
                "id": recovery_id(case.id),
                "kind": "recovered",
                "at": case.touched_at,
                "recipient": case.owner,
                "case_id": case.id,
                "org_unit": case.org_unit,
            }
            for case in won
        ]
        await session.execute(insert(RecognitionRow).values(values).on_conflict_do_nothing())


def _is_promoter(answer: AttributionResult) -> bool:
    return answer.status != "erased" and is_promoter(answer.response.scores.nps)


async def _settled_cases(
    session: AsyncSession, promoters: Sequence[AttributionResult]
) -> dict[str, list[Resolved]]:
    """Customer → their detractor's cases that are settled, other than those of these very answers."""
    customers = list({one.customer for one in promoters if one.customer is not None})
    if not customers:
        return {}
    found: dict[str, list[Resolved]] = {}
    for row in await sql(session, _SETTLED, customers, [one.response_id for one in promoters]):
        resolved = Resolved(row.id, row.owner, row.org_unit, row.resolved_at)
        found.setdefault(row.customer, []).append(resolved)
    return found


def _wins(answer: AttributionResult, settled: Sequence[Resolved]) -> list[_Win]:
    at = answer.response.submitted_at
    unit = answer.interaction.org_unit if answer.interaction is not None else None
    influences = [
        Influence(entry.subject_id, entry.share, entry.cause, entry.org_unit or unit)
        for entry in answer.entries
        if entry.subject_type == "employee"
    ]
    wins = [
        _Win(
            promoter_win_id(answer.response_id, one.employee),
            "promoter",
            at,
            one.employee,
            answer.response_id,
            None,
            one.org_unit,
            one.cause,
        )
        for one in praised(answer.response.scores.nps, influences)
    ]
    return wins + [
        _Win(
            recovery_id(case.case_id),
            "recovered",
            at,
            case.owner,
            answer.response_id,
            case.case_id,
            case.org_unit,
            None,
        )
        for case in won_back(settled, answered_at=at)
    ]
