"""Where results are made: whatever sets an attribution off ends here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.decision import Decision, decide
from attribution.domain.ledger import RULE_VERSION
from attribution.domain.rules import Rules
from attribution.service.context import Known, load_context
from fairloop.db import sql
from fairloop.events import AttributionResult, Entry, Participant
from fairloop.outbox import publish

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Moment:
    """When a use case runs, and the time zone that days are counted in."""

    now: datetime
    zone: ZoneInfo


async def attribute(session: AsyncSession, response_ids: Sequence[UUID], *, at: Moment) -> None:
    """Attribute these responses by what is known now; a result equal to the one held is not a new version.

    The caller holds `locks.attributing`, `locks.looking_for` if it changed what a response looks for, and the
    responses' rows, which it locked in the order of their ids.
    """
    ordered = sorted(response_ids)
    for start in range(0, len(ordered), CHUNK):
        context = await load_context(session, ordered[start : start + CHUNK], zone=at.zone)
        results = [(known, _result(known, context.rules)) for known in context.responses]
        changed = [result for known, result in results if result != known.result]
        await _save(session, changed, at.now)
        await publish(session, changed)


async def irreproducible(
    session: AsyncSession, response_ids: Sequence[UUID], *, at: Moment
) -> Sequence[UUID]:
    """Those whose attribution in force is not what is known now would make of them. Locks as for `attribute`."""
    context = await load_context(session, response_ids, zone=at.zone)
    return [known.response_id for known in context.responses if _result(known, context.rules) != known.result]


def _result(known: Known, rules: Rules) -> AttributionResult:
    """The result by what is known now: the held one's equal, or the next version."""
    decision = decide(known.response, known.interaction, rules=rules, upheld=known.upheld)
    held = known.result
    result = AttributionResult(
        version=held.version if held else 1,
        response_id=known.response_id,
        response_version=known.version,
        status=decision.status,
        response=known.facts,
        deleted=known.deleted,
        customer=known.customer,
        interaction=known.interaction_facts if decision.status == "matched" else None,
        verified=decision.verified,
        matrix_version=decision.matrix_version,
        rule_version=RULE_VERSION,
        participants=_participants(decision),
        entries=_entries(decision),
    )
    if held is None or result == held:
        return result
    return msgspec.structs.replace(result, version=held.version + 1)


def _participants(decision: Decision) -> tuple[Participant, ...]:
    return tuple(
        Participant(
            employee=one.employee,
            role=one.role,
            org_unit=one.org_unit,
            verified=one.verified,
            excluded=one.excluded,
        )
        for one in decision.participants
    )


def _entries(decision: Decision) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            subject_type=line.subject_type,
            subject_id=line.subject_id,
            share=line.share,
            reason=line.reason,
            role=line.role,
            cause=line.cause,
            org_unit=line.org_unit,
            evidence=line.evidence,
        )
        for line in decision.entries
    )


async def _save(session: AsyncSession, results: Sequence[AttributionResult], now: datetime) -> None:
    if not results:
        return
    await sql(
        session,
        "WITH new AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[])"
        " AS new (response_id, version, status, payload)),"
        " kept AS (INSERT INTO result (response_id, version, made_at, payload)"
        " SELECT response_id, version, $5::timestamptz, payload FROM new)"
        " UPDATE response r SET status = new.status, result_version = new.version"
        " FROM new WHERE r.response_id = new.response_id",
        [result.response_id for result in results],
        [result.version for result in results],
        [result.status for result in results],
        [msgspec.json.encode(result).decode() for result in results],
        now,
    )
